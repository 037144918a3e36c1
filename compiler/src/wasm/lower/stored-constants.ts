import type { ValueId } from "../../ir/index.js";

/** The integers that a constant was stored as: real = scale × integer, a scale for each index of an axis or for all. */
export interface StoredIntegers {
  readonly dtype: "int8" | "int32";
  readonly dims: readonly number[];
  /** Zero points are taken off. */
  readonly data: Int8Array | Int32Array;
  readonly scales: Float32Array;
  /** Of the scales, where there are several. */
  readonly axis: number;
}

/** By the float constant that it became. */
export type StoredConstants = ReadonlyMap<ValueId, StoredIntegers>;
