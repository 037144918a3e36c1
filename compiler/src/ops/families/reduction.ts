import type { Dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
import { normalAxis } from "./indexing.js";

/** The axes, from the start, that a reduction goes over: where none are given, all of them, or none if it says so. */
export function reducedAxes(
  attributes: AttributeReader,
  given: readonly number[],
  rank: number,
): readonly number[] {
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank));
  return isNoReduction(attributes) ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** A shape whose axes became 1, or were dropped. */
export function withoutAxes(
  shape: readonly Dim[],
  axes: readonly number[],
  keep: boolean,
): readonly Dim[] {
  return shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keep ? [1] : []));
}

/** Do axes that are reduced stay, with one element? Engines take no number but 1 for that. */
export function keepsAxes(attributes: AttributeReader): boolean {
  return attributes.int("keepdims", 1) === 1;
}

/** Does a reduction over no axes leave its input alone, instead of being one over all of them? */
export function isNoReduction(attributes: AttributeReader): boolean {
  return attributes.int("noop_with_empty_axes", 0) === 1;
}
