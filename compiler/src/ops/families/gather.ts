import { PareError } from "@pare/runtime/format";
import { normalAxis, sourceIndices, steps, stridesOf } from "./indexing.js";
import type { Movement } from "./movement.js";

/** A negative index counts from the end. @throws PareError MODEL_SHAPE outside the axis */
export function indexOn(size: number, index: number): number {
  const at = normalAxis(index, size);
  if (at < 0 || at >= size)
    throw new PareError("MODEL_SHAPE", `Index ${index} lies outside an axis of ${size}.`);
  return at;
}

export function gathered(
  dims: readonly number[],
  axis: number,
  indices: readonly number[],
  indexDims: readonly number[],
): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, at) =>
    at === axis
      ? indices.map((index) => indexOn(size, index) * (strides[at] ?? 1))
      : steps(size, strides[at] ?? 1),
  );
  return {
    dims: [...dims.slice(0, axis), ...indexDims, ...dims.slice(axis + 1)],
    indices: sourceIndices(parts),
  };
}
