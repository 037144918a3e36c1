import { type Dim, dim, isStatic } from "../../ir/index.js";
import { isNonNegative, isPositive } from "./bounds.js";
import { isShort } from "../shape/integers.js";
import { broadcastIndices } from "./indexing.js";
import type { InferContext } from "../shape/rule.js";

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

/** ONNX's integer division, which rounds towards zero; undefined where the sign cannot be told. */
export function quotient(left: Dim, right: Dim): Dim | undefined {
  if (right === 0) return undefined;
  if (typeof left === "number" && typeof right === "number") return Math.trunc(left / right);
  return isNonNegative(left) && isPositive(right)
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

/**
 * One operation on the integers that the first inputs hold, broadcast; undefined where an input's or a result are
 * not known.
 */
export function combine(
  context: InferContext,
  inputs: number,
  shape: readonly Dim[] | undefined,
  operation: (...values: readonly [Dim, Dim, Dim]) => Dim | undefined,
): readonly Dim[] | undefined {
  if (shape === undefined || !isStatic(shape) || !isShort(shape)) return undefined;
  const operands = Array.from({ length: inputs }, (_, input) => context.elements(input));
  if (!operands.every((elements) => elements !== undefined)) return undefined;
  const columns: Dim[][] = [];
  for (const [input, elements] of operands.entries()) {
    const from = context.shape(input);
    if (from === undefined || !isStatic(from)) return undefined;
    const column = Array.from(broadcastIndices(from, shape), (at) => elements[at]);
    if (!column.every((value) => value !== undefined)) return undefined;
    columns.push(column);
  }
  const results: Dim[] = [];
  for (let at = 0; at < (columns[0]?.length ?? 0); at += 1) {
    const [first = 0, second = 0, third = 0] = columns.map((column) => column[at]);
    const result = operation(first, second, third);
    if (result === undefined) return undefined;
    results.push(result);
  }
  return results;
}
