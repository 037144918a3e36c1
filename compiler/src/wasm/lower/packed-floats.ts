import { floatsToHalves, halfToFloat } from "@pare/runtime/format";
import { laneCount } from "../kernels/kernel.js";
import type { Place, PlanBuilder } from "../plan/plan.js";

/** Floats: fewer of them are kept as they are, as the call that decodes them takes bytes as well. */
const fewest = 64;

/**
 * Floats as kernels read them. Where all of them are float16 numbers, which a model's weights are that were stored as such,
 * the module has those, and makes floats of them when it is started.
 */
export function packedFloats(plan: PlanBuilder, floats: Float32Array): Place {
  const halves = floats.length >= fewest ? halvesOf(floats) : undefined;
  return halves === undefined ? plan.constant(floats) : plan.decodedHalves(halves);
}

/** Of a float's bits those that no float16 number has, and of such a number's those that are all set in what is not finite. */
const [lostDigits, notFinite] = [0x1fff, 0x7c00];

/** The same numbers, where there are such and all are finite. */
function halvesOf(floats: Float32Array): Uint16Array<ArrayBuffer> | undefined {
  if (floats.length % laneCount !== 0) return undefined;
  // Of floats that were never rounded one of the first has digits that would be lost.
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  if (words.some((word) => (word & lostDigits) !== 0)) return undefined;
  const halves = floatsToHalves(floats);
  const areSame = halves.every(
    (half, at) => (half & notFinite) !== notFinite && halfToFloat(half) === floats[at],
  );
  return areSame ? halves : undefined;
}
