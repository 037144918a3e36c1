import type { Dtype } from "@pare/runtime/format";
import { type Dim, isStatic, spannedCount, type Tensor } from "../../ir/index.js";

/** Elements are followed up to this many: shapes are short, data is not. */
export const elementLimit = 1024;

/** May the integers of a tensor of this shape be followed? Asked before anything of its size is made. */
export function isShort(shape: readonly Dim[]): boolean {
  return isStatic(shape) && spannedCount(shape) <= elementLimit;
}

/** Dtypes whose elements are held as the numbers they are. */
const exactDtypes: ReadonlySet<Dtype> = new Set<Dtype>([
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
]);

/**
 * Does a number stand for itself? 64-bit integers beyond what numbers hold stand as the largest of these, or the least: "to
 * the end". They can be moved, and compared with sizes, and not computed with.
 */
export function isItself(value: Dim): boolean {
  return typeof value !== "number" || Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

/** The integers of a small constant, of any dtype that holds them exactly. */
export function integersIn(tensor: Tensor | undefined): readonly number[] | undefined {
  if (tensor === undefined || spannedCount(tensor.dims) > elementLimit) return undefined;
  const numbers = exactDtypes.has(tensor.dtype) ? tensor.numbers() : undefined;
  return numbers?.every(Number.isSafeInteger) ? numbers : undefined;
}
