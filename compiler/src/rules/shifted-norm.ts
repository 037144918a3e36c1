import { type Graph, type Node, type ValueId, shapeOf } from "../ir/index.js";
import {
  addLayerNorm,
  hasSizesFrom,
  isScaled,
  lastAxes,
  means,
  type Normalized,
  rooted,
  varianceParts,
} from "./norm-parts.js";
import { dtypeOf, inputOf, madeBy, outputOf, scalarOf, staticCount } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

/**
 * x · s + (β − mean(x) · s) with s = γ / √(mean((x − mean(x))²) + ε) is LayerNormalization(x, γ, β), the means over the last
 * axis: so Keras takes it apart. γ and β may be missing.
 */
export const recoverShiftedNorm: Rule = {
  name: "recover-shifted-norm",
  exactness: "rounding",
  ops: ["Add", "Sub"],
  match(graph, node) {
    const output = outputOf(node);
    const norm = shiftedNorm(graph, node);
    if (output === undefined || norm === undefined) return undefined;
    if (!isScaled(norm.gamma, shapeOf(graph, norm.x)?.slice(norm.axis))) return undefined;
    return replacing(
      output,
      "means, a root and what is scaled and shifted by them are LayerNormalization",
      (editor) => addLayerNorm(graph, editor, node.body, norm, norm.gamma, norm.beta),
    );
  },
};

interface ShiftedNorm extends Normalized {
  readonly gamma: ValueId | undefined;
  readonly beta: ValueId | undefined;
}

function shiftedNorm(graph: Graph, node: Node): ShiftedNorm | undefined {
  if (dtypeOf(graph, outputOf(node)) !== "float32") return undefined;
  const [first, second] = [inputOf(node, 0), inputOf(node, 1)];
  const orders = node.op === "Add" ? [[first, second], [second, first]] : [[first, second]]; // prettier-ignore
  for (const [scaled, other] of orders) {
    const shift =
      node.op === "Add" ? shiftOf(graph, other) : { taken: productOf(graph, other), beta: undefined }; // prettier-ignore
    if (shift?.taken === undefined) continue;
    for (const [x, s] of productOf(graph, scaled) ?? [])
      for (const [mu, same] of shift.taken) {
        if (s !== same) continue;
        const norm = normOf(graph, x, mu, s, shift.beta);
        if (norm !== undefined) return norm;
      }
  }
  return undefined;
}

/** Both orders of two factors. */
type Factors = readonly (readonly [ValueId, ValueId])[];

function productOf(graph: Graph, value: ValueId | undefined): Factors | undefined {
  const node = madeBy(graph, value, "Mul");
  const [x, y] = [0, 1].map((at) => node && inputOf(node, at));
  return x === undefined || y === undefined ? undefined : [[x, y], [y, x]]; // prettier-ignore
}

interface Shift {
  /** What is taken off. */
  readonly taken: Factors | undefined;
  readonly beta: ValueId | undefined;
}

/** β − μ · s, in any way of saying it; β may be missing. */
function shiftOf(graph: Graph, value: ValueId | undefined): Shift | undefined {
  const negative = negated(graph, value);
  if (negative !== undefined) return { taken: negative, beta: undefined };
  const difference = madeBy(graph, value, "Sub");
  const beta = difference && inputOf(difference, 0);
  if (difference !== undefined && graph.constant(beta) !== undefined)
    return { taken: productOf(graph, inputOf(difference, 1)), beta };
  const sum = madeBy(graph, value, "Add");
  const operands = [0, 1].map((at) => sum && inputOf(sum, at));
  for (const [at, one] of operands.entries())
    if (graph.constant(one) !== undefined)
      return { taken: negated(graph, operands[1 - at]), beta: one };
  return undefined;
}

/** The factors of −μ · s. */
function negated(graph: Graph, value: ValueId | undefined): Factors | undefined {
  const whole = madeBy(graph, value, "Neg");
  if (whole !== undefined) return productOf(graph, inputOf(whole, 0));
  return productOf(graph, value)?.flatMap(([mu, s]) => {
    const inner = madeBy(graph, mu, "Neg");
    const of = inner && inputOf(inner, 0);
    return of === undefined ? [] : [[of, s] as const];
  });
}

function normOf(
  graph: Graph,
  x: ValueId,
  mu: ValueId,
  s: ValueId,
  beta: ValueId | undefined,
): ShiftedNorm | undefined {
  const mean = madeBy(graph, mu, ...means);
  if (mean === undefined || inputOf(mean, 0) !== x) return undefined;
  const axis = lastAxes(graph, mean);
  const scaled = productOf(graph, s)?.find(([, gamma]) => graph.constant(gamma) !== undefined);
  const [inverse, gamma] = scaled ?? [s, undefined];
  const root = madeBy(graph, inverse, "Reciprocal", "Div");
  if (root === undefined || axis === undefined) return undefined;
  if (root.op === "Div" && scalarOf(graph, inputOf(root, 0)) !== 1) return undefined;
  const variance = rooted(graph, inputOf(root, root.op === "Div" ? 1 : 0));
  const parts = variance === undefined ? undefined : varianceParts(graph, variance, x);
  const shape = shapeOf(graph, x);
  if (parts?.axis !== axis || shape === undefined || staticCount(shape.slice(axis)) === undefined)
    return undefined;
  const fits = [gamma, beta].every(
    (id) => id === undefined || hasSizesFrom(axis, shape, graph.constant(id)?.dims),
  );
  if (!fits) return undefined;
  return { x, axis, epsilon: parts.epsilon, gamma, beta };
}
