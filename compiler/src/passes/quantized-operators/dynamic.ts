import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { attentionOf } from "../fused-operators/attention.js";
import { embedded } from "../fused-operators/embeddings.js";
import { operand, type Step } from "../opset/adapter.js";

const float32 = attribute.int(codeOfDtype("float32"));

/** Integers, what a step of theirs is, and which of them is zero. */
interface Rounded {
  readonly integers: ValueId;
  readonly scale: ValueId;
  readonly zeroPoint: ValueId | undefined;
}

const roundedAt = (step: Step, integers: number, scale: number, zeroPoint: number): Rounded => ({
  integers: operand(step, integers),
  scale: operand(step, scale),
  zeroPoint: step.input(zeroPoint),
});

/** The product of two, in floats, and a bias. */
function product(step: Step, a: Rounded, b: Rounded, bias: ValueId | undefined): ValueId {
  const zeros =
    a.zeroPoint === undefined && b.zeroPoint === undefined
      ? []
      : [a.zeroPoint ?? null, b.zeroPoint ?? null];
  const sum = step.add("MatMulInteger", [a.integers, b.integers, ...zeros]);
  const scale = step.add("Mul", [a.scale, b.scale]);
  const scaled = step.add("Mul", [step.add("Cast", [sum], { to: float32 }), scale]);
  return bias === undefined ? scaled : step.add("Add", [scaled, bias]);
}

/** Floats are rounded to bytes by their own range, in each run. */
function multiply(step: Step): void {
  const options = { outputs: 3, body: step.graph.body(step.node.body) };
  const x = operand(step, 0);
  const [integers = x, scale = x, zeroPoint] = step.editor.add(
    "DynamicQuantizeLinear",
    [x],
    {},
    options,
  );
  const weights = roundedAt(step, 1, 2, 3);
  step.replaceBy(product(step, { integers, scale, zeroPoint }, weights, step.input(4)));
}

function multiplyIntegers(step: Step): void {
  const [a, b] = [roundedAt(step, 0, 2, 4), roundedAt(step, 1, 3, 5)];
  step.replaceBy(product(step, a, b, step.input(6)));
}

function attention(step: Step): void {
  const [x, weights] = [roundedAt(step, 0, 3, 6), roundedAt(step, 1, 4, 7)];
  const all = product(step, x, weights, operand(step, 2));
  const inFloats: Step = {
    ...step,
    float: (...constant) => step.float32(...constant),
    dtype: (index) => (index === 0 ? "float32" : step.dtype(index)),
  };
  attentionOf(inFloats, all, { mask: 5, added: undefined, past: 8 });
}

/** Tables of bytes, and what scales and shifts them: each has its scale six, and its zero point eleven inputs behind it. */
function embedLayerNorm(step: Step): void {
  const decoded = (x: ValueId, index: number): ValueId =>
    step.add("DequantizeLinear", [x, operand(step, index + 6), operand(step, index + 11)]);
  embedded(step, decoded, undefined);
}

export const dynamicWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::DynamicQuantizeMatMul": multiply,
  "com.microsoft::MatMulIntegerToFloat": multiplyIntegers,
  "com.microsoft::QAttention": attention,
  "com.microsoft::QEmbedLayerNormalization": embedLayerNorm,
};
