import { attribute } from "../../ir/index.js";
import { adapter, type Adapter, operand, type Step } from "./adapter.js";

/**
 * Operators that ONNX tried out before its opset 10 and that onnxruntime knows until then (its
 * `core/graph/contrib_ops/contrib_defs.cc`): models from Core ML have them.
 */

/** An attribute without which the engine refuses the node. */
function demanded(step: Step, name: string): number {
  return step.attributes.float(name) ?? step.refuse(`its ${name} is not given`);
}

/** y = alpha · x + beta */
function affine(step: Step): void {
  const { attributes } = step;
  const [alpha, beta] = [attributes.float("alpha", 1), attributes.float("beta", 0)];
  const scaled = step.add("Mul", [operand(step, 0), step.float("alpha", [alpha], [])]);
  step.replaceBy(step.add("Add", [scaled, step.float("beta", [beta], [])]));
}

/** y = scale · x */
function scale(step: Step): void {
  const factor = step.float("scale", [step.attributes.float("scale", 1)], []);
  step.replaceBy(step.add("Mul", [operand(step, 0), factor]));
}

/** y = scale · x + bias[channel] */
function imageScaler(step: Step): void {
  const bias = step.attributes.floats("bias") ?? step.refuse("its bias is not given");
  const factor = step.float("scale", [step.attributes.float("scale", 1)], []);
  const scaled = step.add("Mul", [operand(step, 0), factor]);
  step.replaceBy(step.add("Add", [scaled, step.float("bias", bias, [bias.length, 1, 1])]));
}

/** y = alpha · f(beta · x) */
function within(op: "Tanh" | "Softplus"): (step: Step) => void {
  return (step) => {
    const [alpha, beta] = [demanded(step, "alpha"), demanded(step, "beta")];
    const inner = step.add("Mul", [operand(step, 0), step.float("beta", [beta], [])]);
    step.replaceBy(step.add("Mul", [step.add(op, [inner]), step.float("alpha", [alpha], [])]));
  };
}

/** It was told whether channels count together, and whether only the mean is taken off. */
function meanVariance(step: Step): void {
  const axes = step.attributes.int("across_channels", 0) === 1 ? [0, 1, 2, 3] : [0, 2, 3];
  if (step.attributes.int("normalize_variance", 1) === 1) {
    step.editor.setAttribute(step.node.id, "axes", attribute.ints(axes));
    step.drop("across_channels", "normalize_variance");
    return;
  }
  const x = operand(step, 0);
  const mean = step.add("ReduceMean", [x, step.int64("axes", axes)]);
  step.replaceBy(step.add("Sub", [x, mean]));
}

/** What is left between borders (left, top, right, bottom), or so much from its corner. */
function crop(step: Step): void {
  const [left = 0, top = 0, right = 0, bottom = 0] =
    step.attributes.ints("border") ?? step.refuse("its border is not given");
  const [height, width] = step.attributes.ints("scale") ?? [];
  const rows = height === undefined ? -bottom : top + height;
  const columns = width === undefined ? -right : left + width;
  // An end of −0 would leave nothing.
  const ends = [rows, columns].map((at) => (at === 0 ? Number.MAX_SAFE_INTEGER : at));
  step.replaceBy(
    step.add("Slice", [
      operand(step, 0),
      step.int64("starts", [top, left]),
      step.int64("ends", ends),
      step.int64("axes", [2, 3]),
    ]),
  );
}

export const experimentalAdapters: readonly Adapter[] = [
  ...adapter("MeanVarianceNormalization", 9, meanVariance),
  ...adapter("Affine", 10, affine),
  ...adapter("Scale", 10, scale),
  ...adapter("ImageScaler", 10, imageScaler),
  ...adapter("ScaledTanh", 10, within("Tanh")),
  ...adapter("ParametricSoftplus", 10, within("Softplus")),
  ...adapter("Crop", 10, crop),
  ...adapter("DynamicSlice", 10, (step) => step.editor.setOp(step.node.id, "Slice")),
];
