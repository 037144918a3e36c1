import type { Dim } from "../../ir/index.js";
import { normalAxis } from "./indexing.js";

/** A shape whose axes (all where not given) became 1, or were dropped. */
export function withoutAxes(
  shape: readonly Dim[],
  axes: readonly number[] | undefined,
  keep: boolean,
): readonly Dim[] {
  const reduced = new Set(axes?.map((axis) => normalAxis(axis, shape.length)) ?? shape.keys());
  return shape.flatMap((size, axis) => (!reduced.has(axis) ? [size] : keep ? [1] : []));
}
