import { f32x4, type Local, type Vector } from "../encode/expression.js";

/** How elements are folded into one. */
export type Fold = "sum" | "product" | "max" | "min" | "sum-of-squares" | "sum-of-sizes";

/** What nothing folds into. */
export function foldStart(fold: Fold): number {
  if (fold === "max") return -Infinity;
  if (fold === "min") return Infinity;
  return fold === "product" ? 1 : 0;
}

/**
 * Does a fold begin with its first element, which is then folded once more? The largest and the least do: where it is no number
 * they are none, and pass over any other that is none. So do onnxruntime's reductions; its pools pass over the first as well.
 */
export function beginsWithFirst(fold: Fold): boolean {
  return fold === "max" || fold === "min";
}

/** Joins what was folded with one more element. */
export function foldVector(sum: Vector, x: Local<"v128">, fold: Fold): Vector {
  switch (fold) {
    case "sum-of-squares":
      return f32x4.add(sum, f32x4.multiply(x, x));
    case "sum-of-sizes":
      return f32x4.add(sum, f32x4.absolute(x));
    case "sum":
    case "product":
    case "max":
    case "min":
      return joinVectors(sum, x, fold);
    default:
      return fold satisfies never;
  }
}

/** Joins what was folded in two places. An x that is no number is passed over by the largest and the least. */
export function joinVectors(sum: Vector, x: Vector, fold: Fold): Vector {
  if (fold === "max") return f32x4.larger(sum, x);
  if (fold === "min") return f32x4.smaller(sum, x);
  return fold === "product" ? f32x4.multiply(sum, x) : f32x4.add(sum, x);
}

export function foldNumber(sum: number, x: number, fold: Fold): number {
  switch (fold) {
    case "sum":
      return sum + x;
    case "product":
      return sum * x;
    case "max":
      return sum < x ? x : sum;
    case "min":
      return x < sum ? x : sum;
    case "sum-of-squares":
      return sum + x * x;
    case "sum-of-sizes":
      return sum + Math.abs(x);
    default:
      return fold satisfies never;
  }
}
