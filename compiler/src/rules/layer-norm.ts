import { attribute, type Graph, type Node, Tensor, type ValueId } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import {
  absorbable,
  attributesOf,
  constantOperand,
  dtypeOf,
  hasOneReader,
  inputOf,
  madeBy,
  numbersOf,
  outputOf,
  scalarOf,
  shapeOf,
  staticCount,
} from "./pattern.js";
import type { Miss, Rewrite, Rule } from "./rule.js";

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

interface Normalized {
  readonly x: ValueId;
  readonly epsilon: number;
  /** First of the axes that are normalized together, from the start. */
  readonly axis: number;
}

function layerNorm(
  graph: Graph,
  node: Node,
  { x, epsilon, axis }: Normalized,
): Rewrite | Miss | undefined {
  const shape = shapeOf(graph, x);
  const normalizedShape = shape?.slice(axis);
  const count = staticCount(normalizedShape);
  if (normalizedShape === undefined || count === undefined)
    return { miss: "the size that would be normalized over is not known" };
  let last = node;
  let gamma: ValueId | undefined;
  let beta: ValueId | undefined;
  const scale = follower(graph, last, "Mul", normalizedShape.length);
  if (scale !== undefined) {
    gamma = scale.parameter;
    last = scale.node;
  }
  const shift = follower(graph, last, "Add", normalizedShape.length);
  if (shift !== undefined) {
    beta = shift.parameter;
    last = shift.node;
  }
  const output = outputOf(last);
  if (output === undefined) return undefined;
  const because = "ReduceMean, Sub, Pow, Sqrt and Div are LayerNormalization";
  return {
    because,
    rewrite(editor) {
      const body = graph.body(node.body);
      const fitted = (id: ValueId | undefined, name: string, otherwise: number): ValueId | null => {
        const tensor = graph.constant(id);
        if (id !== undefined && tensor !== undefined) {
          const dims = normalizedShape.map(Number);
          return tensor.dims.join() === dims.join()
            ? id
            : editor.constant(graph.value(id).name, tensor.reshaped(dims), body);
        }
        return editor.constant(
          name,
          Tensor.float32(normalizedShape.map(Number), new Float32Array(count).fill(otherwise)),
          body,
        );
      };
      const inputs = [
        x,
        fitted(gamma, "scale", 1),
        beta === undefined ? null : fitted(beta, "bias", 0),
      ];
      while (inputs.at(-1) === null) inputs.pop();
      const attributes = {
        axis: attribute.int(axis - (shape?.length ?? 0)),
        epsilon: attribute.float(epsilon),
      };
      editor.replace(
        output,
        editor.add1("LayerNormalization", inputs, attributes, { body }),
        because,
      );
    },
  };
}

/** The Mul or Add by a constant of the normalized shape that alone reads a node's result. */
function follower(
  graph: Graph,
  node: Node,
  op: string,
  rank: number,
): { readonly node: Node; readonly parameter: ValueId } | undefined {
  const output = outputOf(node);
  const [next] = output !== undefined && hasOneReader(graph, output) ? graph.consumers(output) : [];
  const operand = next?.op === op && next.domain === "" ? constantOperand(graph, next) : undefined;
  if (next === undefined || operand === undefined) return undefined;
  if (operand.other !== output || operand.constant.dtype !== "float32") return undefined;
  const wanted = shapeOf(graph, output)?.slice(-rank) ?? [];
  const { dims } = operand.constant;
  // Leading ones say nothing; fewer axes than are normalized would broadcast.
  const own = dims.slice(Math.max(0, dims.length - rank));
  const fits =
    dims.slice(0, -rank).every((size) => size === 1) &&
    own.length === rank &&
    own.every((size, at) => size === wanted[at]);
  return fits && dims.length <= (shapeOf(graph, output)?.length ?? 0)
    ? { node: next, parameter: operand.id }
    : undefined;
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
    const mean = madeBy(graph, inputOf(difference, 1), "ReduceMean");
    if (x === undefined || mean === undefined || inputOf(mean, 0) !== x) continue;
    const axis = lastAxes(graph, mean);
    const parts = varianceParts(graph, variance, x);
    if (axis !== undefined && parts?.axis === axis) return { x, epsilon: parts.epsilon, axis };
  }
  return undefined;
}

/** v when a value is √v or v^½ */
function rooted(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const sqrt = absorbable(graph, value, "Sqrt");
  if (sqrt !== undefined) return inputOf(sqrt, 0);
  const pow = absorbable(graph, value, "Pow");
  return pow !== undefined && scalarOf(graph, inputOf(pow, 1)) === 0.5
    ? inputOf(pow, 0)
    : undefined;
}

/** v when a value is 1 / √v or v^−½ */
function invertedRoot(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const reciprocal = absorbable(graph, value, "Reciprocal");
  if (reciprocal !== undefined) return rooted(graph, inputOf(reciprocal, 0));
  const quotient = absorbable(graph, value, "Div");
  if (quotient !== undefined && scalarOf(graph, inputOf(quotient, 0)) === 1)
    return rooted(graph, inputOf(quotient, 1));
  const pow = absorbable(graph, value, "Pow");
  return pow !== undefined && scalarOf(graph, inputOf(pow, 1)) === -0.5
    ? inputOf(pow, 0)
    : undefined;
}

/** mean((x − mean(x))²) + ε */
function varianceParts(
  graph: Graph,
  value: ValueId,
  x: ValueId,
): { readonly epsilon: number; readonly axis: number } | undefined {
  const sum = absorbable(graph, value, "Add");
  const operand = sum === undefined ? undefined : constantOperand(graph, sum);
  const epsilon = operand === undefined ? undefined : scalarOf(graph, operand.id);
  const mean = absorbable(graph, operand?.other, "ReduceMean");
  if (mean === undefined || epsilon === undefined || epsilon < 0) return undefined;
  const square = madeBy(graph, inputOf(mean, 0), "Pow", "Mul");
  if (square === undefined) return undefined;
  const base = inputOf(square, 0);
  const squares =
    square.op === "Mul" ? inputOf(square, 1) === base : scalarOf(graph, inputOf(square, 1)) === 2;
  const difference = madeBy(graph, base, "Sub");
  const inner =
    difference === undefined ? undefined : madeBy(graph, inputOf(difference, 1), "ReduceMean");
  if (
    !squares ||
    difference === undefined ||
    inner === undefined ||
    inputOf(difference, 0) !== x ||
    inputOf(inner, 0) !== x
  )
    return undefined;
  const [axis, same] = [lastAxes(graph, mean), lastAxes(graph, inner)];
  return axis !== undefined && axis === same ? { epsilon, axis } : undefined;
}

/** The first of the axes that a ReduceMean with keepdims takes, if they are the last ones. */
function lastAxes(graph: Graph, mean: Node): number | undefined {
  const rank = shapeOf(graph, inputOf(mean, 0))?.length;
  const axes = numbersOf(graph, inputOf(mean, 1));
  if (
    rank === undefined ||
    axes === undefined ||
    axes.length === 0 ||
    attributesOf(mean).int("keepdims", 1) !== 1
  )
    return undefined;
  const sorted = axes.map((axis) => normalAxis(axis, rank)).sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  return sorted.every((axis, index) => axis === first + index) && first + sorted.length === rank
    ? first
    : undefined;
}
