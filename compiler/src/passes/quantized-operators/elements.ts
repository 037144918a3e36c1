import { attribute } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { bytesAt, decoded, encoded, scaleAt } from "./integers.js";

/** Two operands, element by element. */
const binary =
  (op: string) =>
  (step: Step): void => {
    const result = step.add(op, [decoded(step, 0), decoded(step, 3)]);
    step.replaceBy(encoded(step, result, 6, 7, bytesAt(step, 0)));
  };

/** Of which no integer is beyond float32. */
const largestScale = 2 ** 100;
const factor = 2 ** 64;

/**
 * A product. Masks are as low as floats go, and rounded a step lower: beside them the other operand has larger steps, so that none
 * is infinite, of which the product with nothing would be no number.
 */
function multiply(step: Step): void {
  const [a, b] = [scaleAt(step, 0), scaleAt(step, 3)];
  const share = Math.max(a, b) <= largestScale ? 1 : b >= a ? factor : 1 / factor;
  const operands = [decoded(step, 0, undefined, share), decoded(step, 3, undefined, 1 / share)];
  step.replaceBy(encoded(step, step.add("Mul", operands), 6, 7, bytesAt(step, 0)));
}

function sigmoid(step: Step): void {
  const result = step.add("Sigmoid", [decoded(step, 0)]);
  step.replaceBy(encoded(step, result, 3, 4, bytesAt(step, 0)));
}

function leakyRelu(step: Step): void {
  const alpha = attribute.float(step.attributes.float("alpha", 0.01));
  const result = step.add("LeakyRelu", [decoded(step, 0)], { alpha });
  step.replaceBy(encoded(step, result, 3, 4, bytesAt(step, 0)));
}

function choose(step: Step): void {
  const result = step.add("Where", [operand(step, 0), decoded(step, 1), decoded(step, 4)]);
  step.replaceBy(encoded(step, result, 7, 8));
}

/** After the result's scale and zero point: of each part its integers, their scale and zero point. */
function join(step: Step): void {
  const parts = step.node.inputs.length - 2;
  const axis = step.attributes.int("axis");
  if (axis === undefined || parts < 3 || parts % 3 !== 0)
    return step.refuse("its axis is missing, or its inputs are not three for each part");
  const rank = step.rank(2);
  if (rank === undefined || axis < -rank || axis >= rank) return step.refuse("it has no such axis");
  const inputs = Array.from({ length: parts / 3 }, (_, at) => decoded(step, 2 + 3 * at));
  const result = step.add("Concat", inputs, { axis: attribute.int(axis) });
  step.replaceBy(encoded(step, result, 0, 1));
}

export const elementWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::QLinearAdd": binary("Add"),
  "com.microsoft::QLinearConcat": join,
  "com.microsoft::QLinearLeakyRelu": leakyRelu,
  "com.microsoft::QLinearMul": multiply,
  "com.microsoft::QLinearSigmoid": sigmoid,
  "com.microsoft::QLinearWhere": choose,
};
