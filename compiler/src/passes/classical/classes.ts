import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";
import { cast } from "./samples.js";

/** The labels of a classifier's classes, as a constant: text where there is any. */
export function classLabels(
  step: Step,
  integers: string,
): { readonly id: ValueId; readonly count: number } {
  const texts = step.attributes.get("classlabels_strings");
  const numbers = step.attributes.get(integers);
  const body = step.graph.body(step.node.body);
  if (texts?.type === "strings" && texts.value.length > 0) {
    const known = texts.value.filter((text) => typeof text === "string");
    if (known.length < texts.value.length) return step.refuse("a label is no text");
    const tensor = Tensor.of("string", [known.length], known);
    return { id: step.editor.constant("labels", tensor, body), count: known.length };
  }
  if (numbers?.type !== "ints" || numbers.value.length === 0)
    return step.refuse("it has no labels");
  const tensor = Tensor.of("int64", [numbers.value.length], BigInt64Array.from(numbers.value));
  return { id: step.editor.constant("labels", tensor, body), count: numbers.value.length };
}

/** Of each row the label of its largest score, the first of equal ones. */
export function labelOfLargest(step: Step, scores: ValueId, labels: ValueId): ValueId {
  const place = step.add("ArgMax", [scores], {
    axis: attribute.int(1),
    keepdims: attribute.int(0),
  });
  return step.add("Gather", [labels, place], { axis: attribute.int(0) });
}

/** Of two labels the second where a score [samples, 1] is above a number. */
export function labelAbove(
  step: Step,
  score: ValueId,
  threshold: ValueId,
  labels: ValueId,
): ValueId {
  const place = cast(step, step.add("Greater", [score, threshold]), "int64");
  const flat = step.add("Reshape", [place, step.int64("shape", [-1])]);
  return step.add("Gather", [labels, flat], { axis: attribute.int(0) });
}

/** Scores [samples, count] as their transform shows them. Of a single one the engine leaves a transform out. */
export function transformed(step: Step, scores: ValueId, count: number): ValueId {
  const transform = step.attributes.string("post_transform", "NONE");
  if (count === 1 && transform !== "NONE")
    return step.refuse(`${transform} of one score has no words`);
  switch (transform) {
    case "NONE":
      return scores;
    case "LOGISTIC":
      return step.add("Sigmoid", [scores]);
    case "SOFTMAX":
      return step.add("Softmax", [scores], { axis: attribute.int(1) });
    default:
      return step.refuse(`${transform} has no words`);
  }
}

/** Gives a node's label and scores to who reads them. */
export function answer(step: Step, label: ValueId, scores: ValueId): void {
  const [, second] = step.node.outputs;
  step.replaceBy(label);
  if (second !== undefined && second !== null)
    step.editor.replace(second, scores, "said in ai.onnx");
}
