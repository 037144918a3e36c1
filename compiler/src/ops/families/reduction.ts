import type { Dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
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

/** Do axes that are reduced stay, with one element? Engines take no number but 1 for that. */
export function keepsAxes(attributes: AttributeReader): boolean {
  return attributes.int("keepdims", 1) === 1;
}

/** Does a reduction over no axes leave its input alone, instead of being one over all of them? */
export function isNoReduction(attributes: AttributeReader): boolean {
  return attributes.int("noop_with_empty_axes", 0) === 1;
}
