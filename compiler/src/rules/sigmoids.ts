import { attribute, type Graph, type ValueId } from "../ir/index.js";
import { boundsOf } from "./clips.js";
import {
  absorbable,
  constantOperand,
  dtypeOf,
  inputOf,
  outputOf,
  scalarOf,
  shapesAgree,
} from "./pattern.js";
import { plus, productOf } from "./products.js";
import { replacing, type Rule } from "./rule.js";

/** 1 / (1 + e^−x) = Sigmoid(x), and x / (1 + e^−x) = x · Sigmoid(x), which is SiLU. */
const recoverSigmoid: Rule = {
  name: "recover-sigmoid",
  exactness: "rounding",
  ops: ["Div", "Reciprocal"],
  match(graph, node) {
    const output = outputOf(node);
    const [dividend, divisor] =
      node.op === "Div" ? [inputOf(node, 0), inputOf(node, 1)] : [undefined, inputOf(node, 0)];
    const x = exponent(graph, plus(graph, divisor, 1));
    if (
      x === undefined ||
      output === undefined ||
      !shapesAgree(graph, x, output) ||
      dtypeOf(graph, x) !== "float32"
    )
      return undefined;
    const isOne = dividend === undefined || scalarOf(graph, dividend) === 1;
    if (!isOne && dividend !== x) return undefined;
    return replacing(
      output,
      isOne ? "1 / (1 + e^−x) is Sigmoid" : "x / (1 + e^−x) is x · Sigmoid",
      (editor) => {
        const body = graph.body(node.body);
        const sigmoid = editor.add1("Sigmoid", [x], {}, { body });
        return isOne ? sigmoid : editor.add1("Mul", [x, sigmoid], {}, { body });
      },
    );
  },
};

/** x when a value is e^−x. */
function exponent(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const exp = absorbable(graph, value, "Exp");
  const negated = exp === undefined ? undefined : inputOf(exp, 0);
  const neg = absorbable(graph, negated, "Neg");
  if (neg !== undefined) return inputOf(neg, 0);
  const { coefficient, factors } = productOf(graph, negated);
  return coefficient === -1 && factors.length === 1 ? factors[0] : undefined;
}

/** clip(a x + b, 0, 1) = HardSigmoid(x; a, b) */
const recoverClippedLine: Rule = {
  name: "recover-clipped-line",
  exactness: "rounding",
  ops: ["Clip"],
  match(graph, node) {
    const output = outputOf(node);
    const bounds = boundsOf(graph, node);
    if (
      output === undefined ||
      bounds?.low !== 0 ||
      bounds.high !== 1 ||
      dtypeOf(graph, output) !== "float32"
    )
      return undefined;
    const sum = absorbable(graph, inputOf(node, 0), "Add");
    const operand = sum === undefined ? undefined : constantOperand(graph, sum);
    const beta = operand === undefined ? undefined : scalarOf(graph, operand.id);
    if (beta === undefined) return undefined;
    const { coefficient: alpha, factors } = productOf(graph, operand?.other);
    const [x] = factors;
    if (x === undefined || factors.length !== 1 || alpha <= 0 || !shapesAgree(graph, x, output))
      return undefined;
    return replacing(output, `clip(${alpha} x + ${beta}, 0, 1) is HardSigmoid`, (editor) => {
      const attributes = {
        alpha: attribute.float(Math.fround(alpha)),
        beta: attribute.float(beta),
      };
      return editor.add1("HardSigmoid", [x], attributes, { body: graph.body(node.body) });
    });
  },
};

export const sigmoids: readonly Rule[] = [recoverSigmoid, recoverClippedLine];
