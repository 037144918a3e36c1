import type { ValueId } from "../../ir/index.js";

/**
 * The integers that a constant was stored as: real = scale × integer, a scale for each index of an axis, for each block along
 * it, or for all.
 */
export interface StoredIntegers {
  readonly dtype: "int8" | "int32";
  /** In which they were stored; with blocks the constant may have others, of the same elements in the same order. */
  readonly dims: readonly number[];
  /** Zero points are taken off; of four bits each has a byte. */
  readonly data: Int8Array | Int32Array;
  readonly scales: Float32Array;
  /** Of the scales, where there are several. */
  readonly axis: number;
  /** So many along the axis share a scale with none of another place; 0 where blocks are none. */
  readonly block: number;
}

/** By the float constant that it became. */
export type StoredConstants = ReadonlyMap<ValueId, StoredIntegers>;

/** The scales as a tensor: with blocks, of the integers' rank. */
export function scaleDimsOf({ dims, scales, axis, block }: StoredIntegers): readonly number[] {
  if (block === 0) return scales.length === 1 ? [] : [scales.length];
  return dims.map((size, at) => (at === axis ? Math.ceil(size / block) : size));
}
