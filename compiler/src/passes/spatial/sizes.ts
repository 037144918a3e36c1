import { sizesOf, type Step } from "../opset/adapter.js";

/** Refuses a node whose input has other sizes than it must have. */
export function demandSizes(step: Step, input: number, wanted: readonly number[]): void {
  const found = sizesOf(step, input);
  const fits = found.length === wanted.length && found.every((size, axis) => size === wanted[axis]);
  if (!fits) step.refuse("its operands do not fit");
}
