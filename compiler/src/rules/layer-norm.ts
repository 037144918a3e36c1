import { type Graph, type Node, type ValueId, shapeOf } from "../ir/index.js";
import {
  addLayerNorm,
  hasSizesFrom,
  invertedRoot,
  isScaled,
  lastAxes,
  means,
  type Normalized,
  rooted,
  varianceParts,
} from "./norm-parts.js";
import {
  constantOperand,
  dtypeOf,
  hasOneReader,
  inputOf,
  madeBy,
  outputOf,
  staticCount,
} from "./pattern.js";
import { type Miss, replacing, type Rewrite, type Rule } from "./rule.js";

/**
 * d = x − mean(x); γ · d / √(mean(d²) + ε) + β = LayerNormalization(x, γ, β), the means over the last axes. Written
 * as d / √v, d · (1 / √v) or d · v^−½, with d² as Pow or Mul; γ and β may be missing.
 */
export const recoverLayerNorm: Rule = {
  name: "recover-layer-norm",
  exactness: "rounding",
  ops: ["Div", "Mul"],
  match(graph, node) {
    const norm = normalized(graph, node);
    return norm === undefined ? undefined : layerNorm(graph, node, norm);
  },
};

function layerNorm(
  graph: Graph,
  node: Node,
  { x, epsilon, axis }: Normalized,
): Rewrite | Miss | undefined {
  if (staticCount(shapeOf(graph, x)?.slice(axis)) === undefined)
    return { miss: "the size that would be normalized over is not known" };
  let last = node;
  let gamma: ValueId | undefined;
  let beta: ValueId | undefined;
  const scale = follower(graph, last, "Mul", axis);
  if (scale !== undefined) {
    gamma = scale.parameter;
    last = scale.node;
  }
  const shift = follower(graph, last, "Add", axis);
  if (shift !== undefined) {
    beta = shift.parameter;
    last = shift.node;
  }
  const output = outputOf(last);
  if (output === undefined) return undefined;
  if (!isScaled(gamma, shapeOf(graph, x)?.slice(axis)))
    return { miss: "it has no scale of the size that is normalized over" };
  return replacing(output, "ReduceMean, Sub, Pow, Sqrt and Div are LayerNormalization", (editor) =>
    addLayerNorm(graph, editor, node.body, { x, epsilon, axis }, gamma, beta),
  );
}

/** The Mul or Add by a constant of the normalized shape that alone reads a node's result. */
function follower(
  graph: Graph,
  node: Node,
  op: string,
  axis: number,
): { readonly node: Node; readonly parameter: ValueId } | undefined {
  const output = outputOf(node);
  const [next] = output !== undefined && hasOneReader(graph, output) ? graph.consumers(output) : [];
  const operand = next?.op === op && next.domain === "" ? constantOperand(graph, next) : undefined;
  if (next === undefined || operand === undefined) return undefined;
  if (operand.other !== output || operand.constant.dtype !== "float32") return undefined;
  const shape = shapeOf(graph, output) ?? [];
  const { dims } = operand.constant;
  return hasSizesFrom(axis, shape, dims) ? { node: next, parameter: operand.id } : undefined;
}

function normalized(graph: Graph, node: Node): Normalized | undefined {
  if (dtypeOf(graph, outputOf(node)) !== "float32") return undefined;
  for (const [d, spread] of node.op === "Div"
    ? [[0, 1]]
    : [
        [0, 1],
        [1, 0],
      ]) {
    const difference = madeBy(graph, inputOf(node, d ?? 0), "Sub");
    const variance =
      node.op === "Div"
        ? rooted(graph, inputOf(node, spread ?? 1))
        : invertedRoot(graph, inputOf(node, spread ?? 1));
    if (difference === undefined || variance === undefined) continue;
    const x = inputOf(difference, 0);
    const mean = madeBy(graph, inputOf(difference, 1), ...means);
    if (x === undefined || mean === undefined || inputOf(mean, 0) !== x) continue;
    const axis = lastAxes(graph, mean);
    const parts = varianceParts(graph, variance, x);
    if (axis !== undefined && parts?.axis === axis) return { x, epsilon: parts.epsilon, axis };
  }
  return undefined;
}
