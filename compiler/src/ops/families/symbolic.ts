import { type Dim, dim } from "../../ir/index.js";
import { isNonNegative, isPositive } from "./bounds.js";

/** max(left, right), without the max where one is known to be no less. */
export function larger(left: Dim, right: Dim): Dim {
  if (isNonNegative(dim.subtract(left, right))) return left;
  if (isNonNegative(dim.subtract(right, left))) return right;
  return dim.max(left, right);
}

export function smaller(left: Dim, right: Dim): Dim {
  if (isNonNegative(dim.subtract(left, right))) return right;
  if (isNonNegative(dim.subtract(right, left))) return left;
  return dim.min(left, right);
}

/**
 * ONNX's integer division, which rounds towards zero; undefined where the sign cannot be told. By a size that is 0 there is no
 * quotient, and nothing to be told of it.
 */
export function quotient(left: Dim, right: Dim): Dim | undefined {
  if (right === 0) return undefined;
  if (typeof left === "number" && typeof right === "number") return Math.trunc(left / right);
  return isNonNegative(left) && isNonNegative(right)
    ? dim.floorDiv(left, right)
    : dim.divideExactly(left, right);
}

/** 1, 0, or undefined where it depends on sizes. */
export function isEqual(left: Dim, right: Dim): Dim | undefined {
  if (left === right) return 1;
  const difference = dim.subtract(left, right);
  return isPositive(difference) || isPositive(dim.subtract(right, left)) ? 0 : undefined;
}

export function isLess(left: Dim, right: Dim): Dim | undefined {
  const difference = dim.subtract(right, left);
  if (isPositive(difference)) return 1;
  return isNonNegative(dim.subtract(left, right)) ? 0 : undefined;
}
