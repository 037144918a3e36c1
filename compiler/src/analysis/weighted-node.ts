import { type Graph, isStatic, type Node, type Tensor, type ValueId } from "../ir/index.js";
import { type AttributeReader, attributeReader, type Linear, operatorOf } from "../ops/index.js";
import { isDecoded } from "./decoded.js";

export const convolutionKinds = ["full", "pointwise", "depthwise"] as const;
export type ConvolutionKind = (typeof convolutionKinds)[number];

/** A node that multiplies an activation with constant weights. */
export interface WeightedNode {
  readonly node: Node;
  readonly linear: Linear;
  readonly kind: ConvolutionKind | "transposed" | "matmul";
  readonly activation: ValueId;
  readonly weight: ValueId;
  readonly weightTensor: Tensor;
  /** The weights' axis of output channels; undefined where one scale must do for all. */
  readonly axis: number | undefined;
  /** Groups of channels that do not mix; 1 where all do. */
  readonly group: number;
  /** Its constant bias, one element per output channel. */
  readonly bias: { readonly value: ValueId; readonly tensor: Tensor } | null;
}

export type Unweighted = { readonly why: string };

/** May it be a weighted node: is its operator linear in an activation and in weights? */
export function isWeightedOp(node: Node): boolean {
  return operatorOf(node)?.traits.linear !== undefined;
}

/** Does it multiply integers, whose scales it reads? Who quantizes leaves it, and says so. */
export function multipliesIntegers(node: Node): boolean {
  const { macs: work, scales } = operatorOf(node)?.traits ?? {};
  return work !== undefined && scales !== undefined;
}

/** What int8 needs to know of a Conv, ConvTranspose, Gemm or MatMul, or why it cannot be int8. */
export function weightedNode(graph: Graph, node: Node): WeightedNode | Unweighted {
  const linear = operatorOf(node)?.traits.linear;
  if (linear === undefined) {
    const isDone = multipliesIntegers(node);
    return { why: isDone ? "it is quantized already" : "it does not multiply with weights" };
  }
  const [activation, weight] = [node.inputs[linear.activation], node.inputs[linear.weight]];
  if (activation === null || activation === undefined || weight === null || weight === undefined)
    return { why: "an input is missing" };
  const weightTensor = graph.constant(weight);
  if (weightTensor === undefined) {
    if (isDecoded(graph, weight)) return { why: "its weight is quantized already" };
    return {
      why:
        graph.constant(activation) === undefined
          ? "it has no constant weight"
          : "its weight is the left operand",
    };
  }
  if (graph.constant(activation) !== undefined) return { why: "all of it is constant" };
  if (weightTensor.dtype !== "float32") return { why: `its weight is ${weightTensor.dtype}` };
  const { type } = graph.value(activation);
  const other = type.kind === "tensor" ? (type.dtype ?? "float32") : type.kind;
  if (other !== "float32" && other !== "unknown") return { why: `its activation is ${other}` };
  if (weightTensor.count === 0) return { why: "its weight is empty" };
  const attributes = attributeReader(node.attributes);
  const axis = channelAxis(node, linear, weightTensor, attributes);
  const channels = axis === undefined ? undefined : weightTensor.dims[axis];
  const bias = constantBias(graph, node, linear, channels);
  if (bias !== null && "why" in bias) return bias;
  const unlike = linear.unlike?.(attributes);
  if (unlike !== undefined) return { why: unlike };
  return {
    node,
    linear,
    kind: kindOf(linear, weightTensor, attributes),
    group: attributes.int("group", 1),
    activation,
    weight,
    weightTensor,
    axis,
    bias,
  };
}

/** Stacked matrices have no axis of their own: a kernel takes one scale per column of a single matrix. */
function channelAxis(
  node: Node,
  linear: Linear,
  { dims }: Tensor,
  attributes: AttributeReader,
): number | undefined {
  if (linear.kind === "matrix" && dims.length !== 2) return undefined;
  const weights = operatorOf(node)?.traits.weights?.find(({ input }) => input === linear.weight);
  return weights?.channelAxis(dims.length, attributes);
}

function constantBias(
  graph: Graph,
  node: Node,
  linear: Linear,
  channels: number | undefined,
): WeightedNode["bias"] | Unweighted {
  const value = linear.bias === undefined ? null : node.inputs[linear.bias];
  if (value === null || value === undefined) return null;
  const tensor = graph.constant(value);
  if (tensor === undefined) return { why: "its bias is not constant" };
  if (tensor.dtype !== "float32") return { why: `its bias is ${tensor.dtype}` };
  if (channels !== undefined && !isPerChannel(tensor, channels))
    return { why: "its bias is not one number per output channel" };
  return { value, tensor };
}

/** Added to a result whose last axis is the channels', does it give each channel its own element? */
function isPerChannel({ count, dims }: Tensor, channels: number): boolean {
  return count === channels && (dims.at(-1) ?? 1) === channels;
}

function kindOf(linear: Linear, weight: Tensor, attributes: AttributeReader): WeightedNode["kind"] {
  switch (linear.kind) {
    case "transposed-convolution":
      return "transposed";
    case "matrix":
      return "matmul";
    case "convolution": {
      const group = attributes.int("group", 1);
      const [outputs, inputsPerGroup, ...kernel] = weight.dims;
      if (group > 1 && inputsPerGroup === 1 && outputs !== undefined && outputs % group === 0)
        return "depthwise";
      return kernel.every((size) => size === 1) ? "pointwise" : "full";
    }
    default:
      return linear.kind satisfies never;
  }
}

/** Multiply-accumulates of one run, where the shapes say; else as for one output position. */
export function macs(graph: Graph, weighted: WeightedNode): number {
  const [output] = weighted.node.outputs;
  const type = output === null || output === undefined ? undefined : graph.value(output).type;
  const shape = type?.kind === "tensor" ? type.shape : undefined;
  const channels =
    weighted.axis === undefined ? 1 : (weighted.weightTensor.dims[weighted.axis] ?? 1);
  if (shape === undefined || !isStatic(shape)) return weighted.weightTensor.count;
  return (weighted.weightTensor.count / channels) * shape.reduce((count, size) => count * size, 1);
}
