import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";

/** Of every sample a row of floats: integers and truth values are converted, a single sample gets an axis before. */
export function samples(step: Step): { readonly x: ValueId; readonly features: number } {
  const [shape, dtype] = [step.shape(0), step.dtype(0)];
  const features = shape?.at(-1);
  if (shape === undefined || shape.length > 2 || typeof features !== "number")
    return step.refuse("how many features a sample has is not known");
  if (dtype === undefined || dtype === "float64" || dtype === "string")
    return step.refuse(`it computes with ${dtype ?? "a type that is not known"}`);
  const given = operand(step, 0);
  const x = dtype === "float32" ? given : cast(step, given, "float32");
  return {
    x: shape.length === 1 ? step.add("Unsqueeze", [x, step.int64("axes", [0])]) : x,
    features,
  };
}

export function cast(step: Step, value: ValueId, to: "float32" | "int64"): ValueId {
  return step.add("Cast", [value], { to: attribute.int(codeOfDtype(to)) });
}
