import { isStatic } from "../../ir/index.js";
import { unknownSizes } from "../../ops/index.js";
import type { Step } from "../opset/adapter.js";

/** Of an input's axes, all known. */
export function sizesOf(step: Step, input: number): readonly number[] {
  const shape = step.shape(input);
  return shape !== undefined && isStatic(shape) ? shape : step.refuse(unknownSizes);
}

/** Refuses a node whose input has other sizes than it must have. */
export function demandSizes(step: Step, input: number, wanted: readonly number[]): void {
  const found = sizesOf(step, input);
  const fits = found.length === wanted.length && found.every((size, axis) => size === wanted[axis]);
  if (!fits) step.refuse("its operands do not fit");
}
