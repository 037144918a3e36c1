import type { ValueId } from "../../../ir/index.js";
import { floatBytes } from "../../kernels/kernel.js";
import type { Factors } from "../../kernels/terms-i8.js";
import type { Place } from "../../plan/plan.js";
import { rowMajor, stepAt } from "../../plan/view.js";
import type { Lowering } from "../lowering.js";
import { dtypeOf } from "../node-facts.js";
import { isPlain } from "./quantization.js";
import { onlyReader } from "./rounded-result.js";

/** What sums are made into: themselves, or floats by factors that a run computes. */
export interface ScaledSum {
  /** The value that is made. */
  readonly output: ValueId;
  readonly factors: Factors;
  readonly factor: Place | undefined;
}

/**
 * The numbers that a sum of integers becomes by the Cast and the Mul behind it, which are then done with; itself where
 * something else follows.
 * @param channel the axis of the sum's channels
 */
export function scaledSum(l: Lowering, sum: ValueId, channel: number): ScaledSum {
  const itself = { output: sum, factors: "none", factor: undefined } as const;
  const cast = onlyReader(l.graph, sum);
  const floats = isPlain(cast, "Cast") ? cast?.outputs[0] : undefined;
  if (cast === undefined || floats === undefined || floats === null) return itself;
  const times = onlyReader(l.graph, floats);
  const [output] = times?.outputs ?? [];
  if (times === undefined || !isPlain(times, "Mul") || output === null || output === undefined)
    return itself;
  const by = times.inputs.find((id) => id !== floats);
  if (by === null || by === undefined || !l.has(by)) return itself;
  if (dtypeOf(l.graph, floats) !== "float32" || l.dims(output).join() !== l.dims(sum).join())
    return itself;
  const factors = factorsOf(l, by, l.dims(sum), channel);
  if (factors === undefined) return itself;
  for (const each of [cast, times]) l.absorbed.add(each);
  return { output, factors, factor: factorPlace(l, by) };
}

/** Is it one number, or one for each channel? */
function factorsOf(
  l: Lowering,
  by: ValueId,
  sum: readonly number[],
  channel: number,
): Factors | undefined {
  const dims = l.dims(by);
  if (dims.every((size) => size === 1)) return "one";
  const axis = dims.length - (sum.length - channel);
  const isEach = dims.every((size, at) => size === (at === axis ? sum[channel] : 1));
  return isEach ? "each" : undefined;
}

function factorPlace(l: Lowering, by: ValueId): Place {
  const view = l.view(by);
  const axis = view.dims.findIndex((size) => size > 1);
  if (axis < 0 || stepAt(view, axis) === floatBytes) return view.place;
  return l.copied(view, { order: rowMajor(view.dims.length), padded: false, halo: [] }).place;
}
