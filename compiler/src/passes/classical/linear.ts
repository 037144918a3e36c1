import { attribute, type ValueId } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";
import { answer, classLabels, labelAbove, labelOfLargest, transformed } from "./classes.js";
import { samples } from "./samples.js";

/** x · coefficientsᵀ + intercepts, of so many targets. */
function product(step: Step, targets: number): ValueId {
  const { x, features } = samples(step);
  const coefficients = step.attributes.floats("coefficients") ?? [];
  const intercepts = step.attributes.floats("intercepts") ?? [];
  if (targets < 1 || coefficients.length !== targets * features)
    return step.refuse("its coefficients are not as many as it says");
  if (intercepts.length !== targets && intercepts.length > 0)
    return step.refuse("its intercepts are not as many as it says");
  const weights = step.float32("coefficients", coefficients, [targets, features]);
  const bias = intercepts.length > 0 ? [step.float32("intercepts", intercepts)] : [];
  return step.add("Gemm", [x, weights, ...bias], { transB: attribute.int(1) });
}

function regress(step: Step): void {
  const targets = step.attributes.int("targets", 1);
  const scores = product(step, targets);
  step.replaceBy(transformed(step, scores, targets));
}

function classify(step: Step): void {
  const labels = classLabels(step, "classlabels_ints");
  const targets = (step.attributes.floats("intercepts") ?? []).length;
  const scores = product(step, targets);
  if (targets === labels.count && targets > 1)
    return answer(
      step,
      labelOfLargest(step, scores, labels.id),
      transformed(step, scores, targets),
    );
  if (targets !== 1 || labels.count !== 2) return step.refuse("its classes are not as many as its scores"); // prettier-ignore
  // One score tells two classes apart: the other has what is left.
  const transform = step.attributes.string("post_transform", "NONE");
  if (transform !== "LOGISTIC") return step.refuse(`${transform} of one score has no words`);
  const label = labelAbove(step, scores, step.float32("zero", [0], []), labels.id);
  const both = step.add("Concat", [step.add("Neg", [scores]), scores], { axis: attribute.int(1) });
  answer(step, label, transformed(step, both, 2));
}

export const linearWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::LinearClassifier": classify,
  "ai.onnx.ml::LinearRegressor": regress,
};
