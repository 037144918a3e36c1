import { attribute, type ValueId } from "../../ir/index.js";
import type { Emitter } from "./emitter.js";

/** The entries of an axis put at these positions, each its own, of an axis of `size`; 0 elsewhere. */
export function placed(
  emit: Emitter,
  x: ValueId,
  axis: number,
  positions: readonly number[],
  size: number,
): ValueId {
  const rank = emit.shape(x).length;
  const only = (count: number): number[] =>
    Array.from({ length: rank }, (_, at) => (at === axis ? count : 0));
  const [first = 0] = positions;
  if (positions.every((position, at) => position === first + at))
    return emit.pad(x, only(first), only(size - first - positions.length));
  // One more entry, of zeros, for every position that gets nothing.
  const source = Array.from({ length: size }, () => positions.length);
  positions.forEach((position, at) => (source[position] = at));
  const padded = emit.pad(x, only(0), only(1));
  return emit.node("Gather", [padded, emit.integers(source)], { axis: attribute.int(axis) });
}
