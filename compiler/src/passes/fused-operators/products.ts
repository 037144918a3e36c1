import { attribute, type ValueId } from "../../ir/index.js";
import { turnedAxes } from "../../ops/families/turned-axes.js";
import { operand, type Step } from "../opset/adapter.js";
import { kept } from "../opset/kept-attributes.js";
import { activated } from "./activations.js";

/** Convolution, what is added to it, and an activation. */
function convolve(step: Step): void {
  const { attributes } = step;
  const own = kept(step, "auto_pad dilations group kernel_shape pads strides");
  const inputs = [0, 1, 2].flatMap((index) => step.input(index) ?? []);
  const map = step.add("Conv", inputs, own);
  const added = step.input(3);
  const sum = added === undefined ? map : step.add("Add", [map, added]);
  const numbers = attributes.floats("activation_params") ?? [];
  step.replaceBy(activated(step, sum, (_, place) => numbers[place]));
}

/** α · A′ · B′ + β · C and an activation. */
function multiplyAndAdd(step: Step): void {
  const { attributes } = step;
  const inputs = [0, 1, 2].flatMap((index) => step.input(index) ?? []);
  const sum = step.add("Gemm", inputs, kept(step, "alpha beta transA transB"));
  step.replaceBy(activated(step, sum, (name) => attributes.float(`activation_${name}`)));
}

/** α · A′ · B′, where ′ swaps the last two axes, brings the first axis behind the others of the batch, or both. */
function multiply(step: Step): void {
  const { attributes } = step;
  const product = step.add("MatMul", [turned(step, 0, "A"), turned(step, 1, "B")]);
  const alpha = attributes.float("alpha", 1);
  step.replaceBy(
    alpha === 1 ? product : step.add("Mul", [product, step.float("alpha", [alpha], [])]),
  );
}

function turned(step: Step, index: number, name: "A" | "B"): ValueId {
  const [x, rank] = [operand(step, index), step.rank(index)];
  if (rank === undefined) return step.refuse(`the rank of ${name} is not known`);
  const perm = turnedAxes(rank, step.attributes, name);
  if (perm.every((axis, at) => axis === at)) return x;
  return step.add("Transpose", [x], { perm: attribute.ints(perm) });
}

export const productWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::FusedConv": convolve,
  "com.microsoft::FusedGemm": multiplyAndAdd,
  "com.microsoft::FusedMatMul": multiply,
  "com.microsoft::TransposeMatMul": multiply,
};
