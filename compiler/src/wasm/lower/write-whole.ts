import { hasWholeVectors, type View } from "../plan/view.js";
import type { Lowering } from "./lowering.js";
import { planMove } from "./move.js";

/**
 * Plans what writes whole vectors: where a value belongs or, where they would reach into the zeros that a convolution wants
 * around its input, beside it first.
 * @param order of the value's axes in memory
 */
export function writeWhole(
  l: Lowering,
  target: View,
  order: readonly number[],
  write: (y: View) => void,
): View {
  if (hasWholeVectors(target)) {
    write(target);
    return target;
  }
  const y = l.temporary(target.dims, { order, padded: true, halo: [] }, "whole vectors");
  write(y);
  planMove(l.plan, y.place, y.steps, target);
  return target;
}
