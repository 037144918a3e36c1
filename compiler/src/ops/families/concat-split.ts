import { type Dim, dim } from "../../ir/index.js";
import { sourceIndices, steps, stridesOf } from "./indexing.js";
import type { Movement } from "./movement.js";

/** The first `count` of equal parts, the last of all smaller where they do not come out even. */
export function evenParts(size: Dim, count: number, parts: number): readonly Dim[] {
  const part = dim.ceilDiv(size, parts);
  const last = dim.subtract(size, dim.multiply(parts - 1, part));
  return Array.from({ length: count }, (_, index) => (index === parts - 1 ? last : part));
}

export function section(
  dims: readonly number[],
  axis: number,
  start: number,
  length: number,
): Movement {
  const strides = stridesOf(dims);
  const result = dims.map((size, at) => (at === axis ? length : size));
  const offset = start * (strides[axis] ?? 1);
  return {
    dims: result,
    indices: sourceIndices(
      result.map((size, at) => steps(size, strides[at] ?? 0)),
      offset,
    ),
  };
}
