import { scaleIndices } from "../../ops/reference/quantized.js";
import { laneCount } from "../kernels/kernel.js";
import type { Place, PlanBuilder } from "../plan/plan.js";
import { scaleRuns } from "../plan/scale-runs.js";
import { scaleDimsOf, type StoredIntegers } from "./stored-constants.js";

/** Puts a value's numbers in another order, with zeros between them. */
export type Packing = (numbers: Float32Array) => Float32Array;

/**
 * A constant that was stored as signed bytes: the module has those, and makes floats of them when it is started. Packing
 * moves bytes and scales as it moves floats.
 * @returns undefined where they are no bytes, or there are nearly as many scales
 */
export function packedIntegers(
  plan: PlanBuilder,
  stored: StoredIntegers,
  pack: Packing,
): Place | undefined {
  if (stored.dtype !== "int8" || !stored.scales.every(Number.isFinite)) return undefined;
  const scales = pack(scalesOf(stored));
  if (scales.length % laneCount !== 0) return undefined;
  const found = scaleRuns(scales);
  if (found === undefined) return undefined;
  const codes = Int8Array.from(pack(Float32Array.from(stored.data)));
  // Where a scale is 0 any will be taken.
  for (let at = 0; at < codes.length; at += 1) if (scales[at] === 0) codes[at] = 0;
  return plan.decodedIntegers(codes, found);
}

/** Of each element. */
function scalesOf(stored: StoredIntegers): Float32Array {
  const { dims, data, scales, axis, block } = stored;
  const each = new Float32Array(data.length);
  if (block > 0) {
    const indices = scaleIndices(dims, scaleDimsOf(stored), axis, block);
    for (let at = 0; at < each.length; at += 1) each[at] = scales[indices[at] ?? 0] ?? 0;
    return each;
  }
  const inner =
    scales.length === 1
      ? data.length
      : dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  for (let at = 0, index = 0; at < each.length; at += inner, index += 1)
    each.fill(scales[index % scales.length] ?? 0, at, at + inner);
  return each;
}
