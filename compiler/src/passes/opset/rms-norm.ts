import type { ValueId } from "../../ir/index.js";
import { operand, type Step } from "./adapter.js";
import { inPrecision } from "./in-precision.js";

/** γ x / √(mean(x²) + ε), of γ's type. @param scaleAt which input γ is */
export function rmsNorm(step: Step, x: ValueId, scaleAt: number, least: number): ValueId {
  const axis = step.attributes.int("axis", -1);
  const rank = axis === -1 ? 1 : step.rank(0);
  if (rank === undefined) return step.refuse("the rank of its input is not known");
  if (axis < -rank || axis >= rank) return step.refuse(`it has no axis ${axis}`);
  const count = axis < 0 ? -axis : rank - axis;
  const axes = Array.from({ length: count }, (_, index) => index - count);
  const { wide, overRoot } = inPrecision(step);
  const numbers = wide(x);
  // A power, not a product: onnxruntime knows the normalization by it, and has a kernel.
  const square = step.add("Pow", [numbers, step.float32("two", [2], [])]);
  const mean = step.add("ReduceMean", [square, step.int64("axes", axes)]);
  return step.add("Mul", [overRoot(numbers, mean, least, scaleAt), operand(step, scaleAt)]);
}

/** Scaled to a root mean square of 1, then by γ. */
export function unitRms(step: Step): void {
  const epsilon = step.attributes.float("epsilon", 1e-5);
  step.replaceBy(rmsNorm(step, operand(step, 0), 1, epsilon));
}
