import { sourceIndices, steps, stridesOf } from "./indexing.js";

/** A result whose every element is one of the source's, or −1 for none. */
export interface Movement {
  readonly dims: readonly number[];
  readonly indices: Int32Array;
}

export function permutationOf(
  permutation: readonly number[] | undefined,
  rank: number,
): readonly number[] {
  return permutation ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

export function transposed(dims: readonly number[], permutation: readonly number[]): Movement {
  const strides = stridesOf(dims);
  const result = permutation.map((axis) => dims[axis] ?? 1);
  const parts = result.map((size, axis) => steps(size, strides[permutation[axis] ?? 0] ?? 0));
  return { dims: result, indices: sourceIndices(parts) };
}

export function tiled(dims: readonly number[], repeats: readonly number[]): Movement {
  const strides = stridesOf(dims);
  const result = dims.map((size, axis) => size * (repeats[axis] ?? 1));
  if (result.includes(0)) return { dims: result, indices: new Int32Array() };
  const parts = dims.flatMap((size, axis) => [
    steps(repeats[axis] ?? 1, 0),
    steps(size, strides[axis] ?? 0),
  ]);
  return { dims: result, indices: sourceIndices(parts) };
}
