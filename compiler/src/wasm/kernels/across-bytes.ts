import type { Expression, Local } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { nest } from "./nest.js";

/**
 * Calls `visit` for every so many elements of a run, the pointers on them, and at last for those that are left.
 * @param width elements at once
 * @param steps of the pointers, from one element to the next
 * @param number what counts and steps are written as, as for `nest`
 * @returns by how much each pointer is moved afterwards
 */
export function eachBlock(
  f: FunctionBuilder,
  count: number,
  width: number,
  pointers: readonly Local<"i32">[],
  steps: readonly number[],
  visit: (count: number) => void,
  number?: (value: number) => Expression<"i32">,
): readonly number[] {
  const whole = { count: Math.floor(count / width), steps: steps.map((step) => step * width) };
  const moved = nest(f, [whole], pointers, () => visit(width), number);
  if (count % width > 0) visit(count % width);
  return moved;
}
