import {
  attribute,
  type BodyId,
  type Dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import {
  absorbable,
  attributesOf,
  constantOperand,
  inputOf,
  madeBy,
  numbersOf,
  scalarOf,
  staticCount,
} from "./pattern.js";

/** What is normalized, over which of its axes. */
export interface Normalized {
  readonly x: ValueId;
  readonly epsilon: number;
  /** First of the axes that are normalized together, from the start. */
  readonly axis: number;
}

/** Ones for a scale that is not there are written down: so many, as wide as layers are, and not as long as sounds. */
const mostOnes = 2 ** 11;

/** May a normalization over a shape be said with this scale? */
export function isScaled(gamma: ValueId | undefined, over: readonly Dim[] | undefined): boolean {
  return gamma !== undefined || (staticCount(over) ?? Infinity) <= mostOnes;
}

/** LayerNormalization, with constants brought to the sizes that are normalized over, which are known. */
export function addLayerNorm(
  graph: Graph,
  editor: Editor,
  bodyId: BodyId,
  { x, epsilon, axis }: Normalized,
  gamma: ValueId | undefined,
  beta: ValueId | undefined,
): ValueId {
  const body = graph.body(bodyId);
  const shape = shapeOf(graph, x) ?? [];
  const dims = shape.slice(axis).map(Number);
  const count = dims.reduce((product, size) => product * size, 1);
  const fitted = (id: ValueId | undefined, name: string, otherwise: number): ValueId => {
    const tensor = graph.constant(id);
    if (id !== undefined && tensor !== undefined)
      return tensor.dims.join() === dims.join()
        ? id
        : editor.constant(graph.value(id).name, tensor.reshaped(dims), body);
    const filled = new Float32Array(count).fill(otherwise);
    return editor.constant(name, Tensor.float32(dims, filled), body);
  };
  const shift = beta === undefined ? [] : [fitted(beta, "bias", 0)];
  const attributes = {
    axis: attribute.int(axis - shape.length),
    epsilon: attribute.float(epsilon),
  };
  return editor.add1("LayerNormalization", [x, fitted(gamma, "scale", 1), ...shift], attributes, {
    body,
  });
}

/**
 * Has a constant the sizes of a shape from an axis on? Ones before them say nothing, as far as the shape has axes; with fewer axes
 * it would broadcast.
 */
export function hasSizesFrom(
  axis: number,
  shape: readonly Dim[],
  dims: readonly number[] = [],
): boolean {
  const before = dims.length - (shape.length - axis);
  const isOf = (size: number, at: number): boolean =>
    size === (at < before ? 1 : shape[axis + at - before]);
  return before >= 0 && before <= axis && dims.every(isOf);
}

/** v when a value is √v or v^½ */
export function rooted(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  const sqrt = absorbable(graph, value, "Sqrt");
  if (sqrt !== undefined) return inputOf(sqrt, 0);
  const pow = absorbable(graph, value, "Pow");
  return pow !== undefined && scalarOf(graph, inputOf(pow, 1)) === 0.5
    ? inputOf(pow, 0)
    : undefined;
}

/** v when a value is 1 / √v or v^−½ */
export function invertedRoot(graph: Graph, value: ValueId | undefined): ValueId | undefined {
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
export function varianceParts(
  graph: Graph,
  value: ValueId,
  x: ValueId,
): { readonly epsilon: number; readonly axis: number } | undefined {
  const sum = absorbable(graph, value, "Add");
  const operand = sum === undefined ? undefined : constantOperand(graph, sum);
  const epsilon = operand === undefined ? undefined : scalarOf(graph, operand.id);
  const mean = absorbable(graph, operand?.other, ...means);
  if (mean === undefined || epsilon === undefined || epsilon < 0) return undefined;
  const square = madeBy(graph, inputOf(mean, 0), "Pow", "Mul");
  if (square === undefined) return undefined;
  const base = inputOf(square, 0);
  const squares =
    square.op === "Mul" ? inputOf(square, 1) === base : scalarOf(graph, inputOf(square, 1)) === 2;
  const difference = madeBy(graph, base, "Sub");
  const inner =
    difference === undefined ? undefined : madeBy(graph, inputOf(difference, 1), ...means);
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

/** What takes a mean: of each row GlobalAveragePool does, as tf2onnx writes it. */
export const means = ["ReduceMean", "GlobalAveragePool"] as const;

/** The first of the axes that are averaged and kept, if they are the last ones. */
export function lastAxes(graph: Graph, mean: Node): number | undefined {
  const rank = shapeOf(graph, inputOf(mean, 0))?.length;
  // Over the two axes of an image what is normalized would get a scale for each pixel.
  if (mean.op === "GlobalAveragePool") return rank === 3 ? 2 : undefined;
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
