import { type Graph, isStatic, type Node, type Tensor, type ValueId } from "../ir/index.js";

export const convolutionKinds = ["full", "pointwise", "depthwise"] as const;
export type ConvolutionKind = (typeof convolutionKinds)[number];

/** A node that multiplies an activation with constant weights. */
export interface WeightedNode {
  readonly node: Node;
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

const weightedOps = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

export function isWeightedOp(node: Node): boolean {
  return node.domain === "" && weightedOps.includes(node.op);
}

/** What int8 needs to know of a Conv, ConvTranspose, Gemm or MatMul, or why it cannot be int8. */
export function weightedNode(graph: Graph, node: Node): WeightedNode | Unweighted {
  const [activation, weight] = node.inputs;
  if (activation === null || activation === undefined || weight === null || weight === undefined)
    return { why: "an input is missing" };
  const weightTensor = graph.constant(weight);
  if (weightTensor === undefined) {
    return {
      why:
        graph.constant(activation) === undefined
          ? "it has no constant weight"
          : "its weight is the left operand",
    };
  }
  if (graph.constant(activation) !== undefined) return { why: "all of it is constant" };
  if (weightTensor.dtype !== "float32") return { why: `its weight is ${weightTensor.dtype}` };
  if (weightTensor.count === 0) return { why: "its weight is empty" };
  const bias = constantBias(graph, node, weightTensor);
  if (bias !== null && "why" in bias) return bias;
  if (
    node.op === "Gemm" &&
    (float(node, "alpha") !== 1 || float(node, "beta") !== 1 || integer(node, "transA") !== 0)
  ) {
    return { why: "its alpha, beta or transA is not the default" };
  }
  return {
    node,
    kind: kindOf(graph, node, weightTensor),
    group: integer(node, "group", 1),
    activation,
    weight,
    weightTensor,
    axis: channelAxis(node, weightTensor.dims.length),
    bias,
  };
}

/** The axis of output channels in the weights. */
export function channelAxis(node: Node, rank: number): number | undefined {
  switch (node.op) {
    case "Conv":
      return 0;
    case "ConvTranspose":
      return integer(node, "group", 1) === 1 ? 1 : undefined;
    case "Gemm":
      return integer(node, "transB") === 0 ? 1 : 0;
    case "MatMul":
      return rank === 2 ? 1 : undefined;
    default:
      return undefined;
  }
}

function constantBias(graph: Graph, node: Node, weight: Tensor): WeightedNode["bias"] | Unweighted {
  const value = node.op === "MatMul" ? null : node.inputs[2];
  if (value === null || value === undefined) return null;
  const tensor = graph.constant(value);
  if (tensor === undefined) return { why: "its bias is not constant" };
  if (tensor.dtype !== "float32") return { why: `its bias is ${tensor.dtype}` };
  const channels = weight.dims[channelAxis(node, weight.dims.length) ?? 0];
  if (node.op !== "ConvTranspose" && tensor.count !== channels)
    return { why: "its bias is not one number per output channel" };
  return { value, tensor };
}

function kindOf(graph: Graph, node: Node, weight: Tensor): WeightedNode["kind"] {
  if (node.op === "ConvTranspose") return "transposed";
  if (node.op !== "Conv") return "matmul";
  const group = integer(node, "group", 1);
  const [outputs, inputsPerGroup, ...kernel] = weight.dims;
  if (group > 1 && inputsPerGroup === 1 && outputs !== undefined && outputs % group === 0)
    return "depthwise";
  return kernel.every((size) => size === 1) ? "pointwise" : "full";
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

/** An integer attribute. */
function integer(node: Node, name: string, fallback = 0): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === "int" ? Number(attribute.value) : fallback;
}

function float(node: Node, name: string): number {
  const attribute = node.attributes.get(name);
  return attribute?.type === "float" ? attribute.value : 1;
}
