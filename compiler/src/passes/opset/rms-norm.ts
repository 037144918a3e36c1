import { attribute, codeOfDtype, Tensor, type ValueId } from "../../ir/index.js";
import type { Step } from "./adapter.js";

/** γ x / √(mean(x²) + ε), in float32 unless `stash_type` says otherwise. */
export function rmsNorm(step: Step, x: ValueId, scale: ValueId, least: number): ValueId {
  const axis = step.attributes.int("axis", -1);
  const rank = axis === -1 ? 1 : step.rank(0);
  if (rank === undefined) return step.refuse("the rank of its input is not known");
  if (axis < -rank || axis >= rank) return step.refuse(`it has no axis ${axis}`);
  const count = axis < 0 ? -axis : rank - axis;
  const axes = Array.from({ length: count }, (_, index) => index - count);
  const own = codeOfDtype(step.dtype(0) ?? step.refuse("the type of its input is not known"));
  const precision = step.attributes.int("stash_type", 1);
  const cast = (value: ValueId, to: number): ValueId =>
    precision === own ? value : step.add("Cast", [value], { to: attribute.int(to) });
  const wide = cast(x, precision);
  // A power, not a product: onnxruntime knows the normalization by it, and has a kernel.
  const two = step.editor.constant("two", Tensor.float32([], [2]), step.graph.body(step.node.body));
  const square = step.add("Pow", [wide, two]);
  const mean = step.add("ReduceMean", [square, step.int64("axes", axes)]);
  const epsilon = cast(step.float("epsilon", [least], []), precision);
  const spread = step.add("Sqrt", [step.add("Add", [mean, epsilon])]);
  const normal = cast(step.add("Div", [wide, spread]), own);
  return step.add("Mul", [normal, scale]);
}
