import { attribute, type Attributes } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";
import { decoded, decodedBias, encoded } from "./integers.js";
import { kept } from "../opset/kept-attributes.js";
import { refuseChannelsLast } from "./channels-last.js";

/** Weights have a scale for each map. */
function convolve(step: Step): void {
  refuseChannelsLast(step);
  const inputs = [decoded(step, 0), decoded(step, 3, 0), ...decodedBias(step, 8, { a: 1, b: 4 })];
  const attributes = kept(step, "auto_pad dilations group kernel_shape pads strides");
  step.replaceBy(encoded(step, step.add("Conv", inputs, attributes), 6, 7));
}

/** The right operand has a scale for each column. */
function multiply(step: Step): void {
  const rank = step.rank(3);
  const columns = rank !== undefined && rank > 1 ? rank - 1 : undefined;
  const product = step.add("MatMul", [decoded(step, 0), decoded(step, 3, columns)]);
  step.replaceBy(encoded(step, product, 6, 7));
}

/** alpha · (A · B + C), in integers; as floats where no scale of the result is given. */
function multiplyAndAdd(step: Step): void {
  const { attributes: given } = step;
  const alpha = given.float("alpha", 1);
  const [transA, transB] = [given.int("transA", 0), given.int("transB", 0)];
  const [scale, zeroPoint] = [step.input(7), step.input(8)];
  if ((scale === undefined) !== (zeroPoint === undefined))
    return step.refuse("its result has a scale and no zero point, or the other way round");
  const operands = [decoded(step, 0), decoded(step, 3, transB === 0 ? 1 : 0)];
  const bias = decodedBias(step, 6, { a: 1, b: 4, factor: alpha });
  // Another number for each row is no bias of a layer.
  const isRow =
    step
      .shape(6)
      ?.slice(0, -1)
      .every((size) => size === 1) ?? true;
  const attributes: Attributes = {
    ...(alpha !== 1 && { alpha: attribute.float(alpha) }),
    ...(transA !== 0 && { transA: attribute.int(1) }),
    ...(transB !== 0 && { transB: attribute.int(1) }),
  };
  const product = isRow
    ? step.add("Gemm", [...operands, ...bias], attributes)
    : step.add("Add", [step.add("Gemm", operands, attributes), ...bias]);
  step.replaceBy(scale === undefined ? product : encoded(step, product, 7, 8));
}

export const productWords: Readonly<Record<string, (step: Step) => void>> = {
  QLinearConv: convolve,
  QLinearMatMul: multiply,
  "com.microsoft::QGemm": multiplyAndAdd,
  "com.microsoft::QLinearConv": convolve,
};
