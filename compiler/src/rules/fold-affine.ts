import { attribute, type Graph, type Node, Tensor, type TensorData, shapeOf } from "../ir/index.js";
import {
  type Affine,
  affineOf,
  affineOperand,
  type ChannelValues,
  channelValues,
  perChannel,
} from "./affine.js";
import { absorbable, attributesOf, inputOf, outputOf } from "./pattern.js";
import type { Miss, Rewrite, Rule } from "./rule.js";

/** How a linear operator lays out its output channels. */
interface Linear {
  readonly node: Node;
  readonly weight: Tensor;
  readonly channels: number;
  /** Axis of the channels in the result, and the result's rank. */
  readonly axis: number;
  readonly rank: number;
  /** The channel that an element of the weight contributes to. */
  readonly channelOf: (element: number) => number;
  /** The bias; null where there is none, undefined where it is no constant of one number per channel. */
  readonly bias: Tensor | null | undefined;
  readonly canShift: boolean;
}

/**
 * (W x + b) · s + t = (W s) x + (b s + t), for BatchNormalization, Mul, Add, Sub and Div by constants after Conv,
 * ConvTranspose, Gemm and MatMul.
 */
export const foldAffine: Rule = {
  name: "fold-affine",
  exactness: "rounding",
  ops: ["BatchNormalization", "Mul", "Add", "Sub", "Div"],
  match(graph, node) {
    const before = absorbable(
      graph,
      affineOperand(graph, node),
      "Conv",
      "ConvTranspose",
      "Gemm",
      "MatMul",
    );
    const linear = before === undefined ? undefined : linearOf(graph, before);
    if (linear === undefined) return undefined;
    const affine = affineOf(graph, node, linear.axis, linear.rank, linear.channels);
    if (affine === undefined) return undefined;
    return fold(graph, node, linear, affine);
  },
};

function fold(
  graph: Graph,
  node: Node,
  linear: Linear,
  affine: Affine,
): Rewrite | Miss | undefined {
  const { weight, bias } = linear;
  const weightId = inputOf(linear.node, 1);
  const output = outputOf(node);
  const result = outputOf(linear.node);
  if (weightId === undefined || output === undefined || result === undefined) return undefined;
  if (bias === undefined || (affine.shifts && !linear.canShift)) return undefined;
  const readers = graph.value(weightId).uses.length;
  if (affine.scales && readers > 1) {
    return {
      miss: `the weights of ${graph.nodeLabel(linear.node)} are shared by ${readers} nodes; each would need its own copy`,
    };
  }
  const because = `folded into ${linear.node.op} ${graph.nodeLabel(linear.node)}`;
  const needs = [
    ...affine.needs,
    ...(affine.scales ? [weight] : []),
    ...(bias === null ? [] : [bias]),
  ];
  return {
    because,
    needs,
    rewrite(editor, data) {
      const { scale, shift } = affine.compute(data);
      const rest = data.slice(affine.needs.length);
      const body = graph.body(node.body);
      if (affine.scales) {
        const scaled = scaledWeight(linear, rest[0], scale);
        editor.setInput(
          linear.node.id,
          1,
          editor.constant(graph.value(weightId).name, scaled, body),
        );
      }
      if (affine.shifts || bias !== null) {
        const factor = linear.node.op === "Gemm" ? attributesOf(linear.node).float("beta", 1) : 1;
        const old = bias === null ? () => 0 : channelValues(rest[affine.scales ? 1 : 0]);
        const values = Float32Array.from(
          { length: linear.channels },
          (_, c) => factor * old(c) * scale(c) + shift(c),
        );
        editor.setInput(
          linear.node.id,
          2,
          editor.constant(
            biasName(graph, linear.node),
            Tensor.float32([linear.channels], values),
            body,
          ),
        );
        if (factor !== 1) editor.setAttribute(linear.node.id, "beta", attribute.float(1));
      }
      editor.replace(output, result, because);
    },
  };
}

function scaledWeight(linear: Linear, data: TensorData | undefined, scale: ChannelValues): Tensor {
  const from = data instanceof Float32Array ? data : new Float32Array();
  const factors = Float64Array.from({ length: linear.channels }, (_, c) => scale(c));
  const values = new Float32Array(from.length);
  for (let i = 0; i < values.length; i += 1)
    values[i] = (from[i] ?? 0) * (factors[linear.channelOf(i)] ?? 1);
  return Tensor.float32(linear.weight.dims, values);
}

function biasName(graph: Graph, node: Node): string {
  const bias = inputOf(node, 2);
  const weight = inputOf(node, 1);
  if (bias !== undefined) return graph.value(bias).name;
  return weight === undefined ? "bias" : `${graph.value(weight).name}_bias`;
}

function linearOf(graph: Graph, node: Node): Linear | undefined {
  const weight = graph.constant(node.inputs[1]);
  if (weight?.dtype !== "float32") return undefined;
  const rank = weight.dims.length;
  const [first = 0, second = 0] = weight.dims;
  const inner = first === 0 ? 0 : weight.count / first;
  const attributes = attributesOf(node);
  switch (node.op) {
    case "Conv":
      return {
        node,
        weight,
        channels: first,
        axis: 1,
        rank,
        channelOf: (i) => Math.floor(i / inner),
        bias: biasOf(graph, node, first, 1),
        canShift: true,
      };
    case "ConvTranspose": {
      // [inputs, outputs / groups, …]: the group follows from the input channel.
      const groups = attributes.int("group", 1);
      const perGroup = first / groups;
      const area = second === 0 ? 0 : inner / second;
      const channelOf = (i: number) =>
        Math.floor(Math.floor(i / inner) / perGroup) * second + (Math.floor(i / area) % second);
      return {
        node,
        weight,
        channels: second * groups,
        axis: 1,
        rank,
        channelOf,
        bias: biasOf(graph, node, second * groups, 1),
        canShift: true,
      };
    }
    case "Gemm": {
      const transposed = attributes.int("transB", 0) === 1;
      const channels = transposed ? first : second;
      const channelOf = transposed
        ? (i: number) => Math.floor(i / second)
        : (i: number) => i % second;
      return {
        node,
        weight,
        channels,
        axis: 1,
        rank: 2,
        channelOf,
        bias: biasOf(graph, node, channels, 2),
        canShift: true,
      };
    }
    case "MatMul": {
      const resultRank = shapeOf(graph, outputOf(node))?.length;
      if (rank !== 2 || resultRank === undefined) return undefined;
      return {
        node,
        weight,
        channels: second,
        axis: resultRank - 1,
        rank: resultRank,
        channelOf: (i) => i % second,
        bias: null,
        canShift: false,
      };
    }
    default:
      return undefined;
  }
}

function biasOf(
  graph: Graph,
  node: Node,
  channels: number,
  rank: number,
): Tensor | null | undefined {
  const id = inputOf(node, 2);
  if (id === undefined) return null;
  const bias = graph.constant(id);
  return bias !== undefined && perChannel(bias, rank - 1, rank, channels) ? bias : undefined;
}
