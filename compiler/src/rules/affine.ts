import { type Graph, type Node, type Tensor, type TensorData, type ValueId } from "../ir/index.js";
import { attributesOf, constantOperand, inputOf } from "./pattern.js";

/** y ↦ y · scale + shift, each one number per channel or one for all; absent is 1 and 0. */
export interface Affine {
  readonly of: ValueId;
  readonly needs: readonly Tensor[];
  readonly scales: boolean;
  readonly shifts: boolean;
  compute(data: readonly TensorData[]): {
    readonly scale: ChannelValues;
    readonly shift: ChannelValues;
  };
}

export type ChannelValues = (channel: number) => number;

/**
 * What a node does to `rank`-dimensional values with `channels` channels on an axis, if that is affine per channel.
 * Constants broadcast along every other axis.
 */
export function affineOf(
  graph: Graph,
  node: Node,
  axis: number,
  rank: number,
  channels: number,
): Affine | undefined {
  return node.op === "BatchNormalization"
    ? normalization(graph, node, axis, channels)
    : arithmetic(graph, node, axis, rank, channels);
}

/** The value that an affine node changes, before its channels are known. */
export function affineOperand(graph: Graph, node: Node): ValueId | undefined {
  return node.op === "BatchNormalization" ? inputOf(node, 0) : constantOperand(graph, node)?.other;
}

/** γ (y − μ) / √(σ² + ε) + β = y · s + (β − μ s), s = γ / √(σ² + ε) */
function normalization(
  graph: Graph,
  node: Node,
  axis: number,
  channels: number,
): Affine | undefined {
  const of = inputOf(node, 0);
  const parameters = [1, 2, 3, 4].map((index) => graph.constant(node.inputs[index]));
  const needs = parameters.filter((tensor) => tensor !== undefined);
  if (
    of === undefined ||
    axis !== 1 ||
    needs.length !== 4 ||
    needs.some((tensor) => !fits(tensor, channels))
  )
    return undefined;
  if (
    attributesOf(node).int("training_mode", 0) !== 0 ||
    node.outputs.slice(1).some((output) => output !== null)
  )
    return undefined;
  const epsilon = attributesOf(node).float("epsilon", 1e-5);
  return {
    of,
    needs,
    scales: true,
    shifts: true,
    compute(data) {
      const [gamma, beta, mean, variance] = data.map(channelValues);
      const scale: ChannelValues = (c) =>
        (gamma?.(c) ?? 1) / Math.sqrt((variance?.(c) ?? 1) + epsilon);
      return { scale, shift: (c) => (beta?.(c) ?? 0) - (mean?.(c) ?? 0) * scale(c) };
    },
  };
}

const one: ChannelValues = () => 1;
const zero: ChannelValues = () => 0;

function arithmetic(
  graph: Graph,
  node: Node,
  axis: number,
  rank: number,
  channels: number,
): Affine | undefined {
  const operand = constantOperand(graph, node);
  if (operand === undefined || !perChannel(operand.constant, axis, rank, channels))
    return undefined;
  const { constant, other, at } = operand;
  const isSum = node.op === "Add" || node.op === "Sub";
  if (isSum && rounds(constant)) return undefined;
  const none = { of: other, needs: [constant] };
  switch (node.op) {
    case "Add":
      return {
        ...none,
        scales: false,
        shifts: true,
        compute: ([data]) => ({ scale: one, shift: channelValues(data) }),
      };
    case "Sub":
      return at === 1
        ? {
            ...none,
            scales: false,
            shifts: true,
            compute: ([data]) => ({ scale: one, shift: negated(channelValues(data)) }),
          }
        : {
            ...none,
            scales: true,
            shifts: true,
            compute: ([data]) => ({ scale: negated(one), shift: channelValues(data) }),
          };
    case "Mul":
      return {
        ...none,
        scales: true,
        shifts: false,
        compute: ([data]) => ({ scale: channelValues(data), shift: zero }),
      };
    case "Div": {
      if (at === 0 || operand.constant.numbers()?.includes(0)) return undefined;
      return {
        ...none,
        scales: true,
        shifts: false,
        compute([data]) {
          const divisor = channelValues(data);
          return { scale: (c) => 1 / divisor(c), shift: zero };
        },
      };
    }
    default:
      return undefined;
  }
}

/** Does what is added round to whole numbers, or nearly? That may be what it is there for. */
export function rounds(constant: Tensor): boolean {
  return constant.numbers()?.some((value) => Math.abs(value) >= 2 ** 22) === true;
}

/** One value, or one per channel and the same along every other axis. */
export function perChannel(
  constant: Tensor,
  axis: number,
  rank: number,
  channels: number,
): boolean {
  const { dims } = constant;
  if (constant.dtype !== "float32" || dims.length > rank) return false;
  return dims.every(
    (size, at) => size === 1 || (at + rank - dims.length === axis && size === channels),
  );
}

function fits(tensor: Tensor, channels: number): boolean {
  return tensor.dtype === "float32" && tensor.dims.length === 1 && tensor.count === channels;
}

/** One number stands for every channel. */
export function channelValues(data: TensorData | undefined): ChannelValues {
  const values = data instanceof Float32Array ? data : new Float32Array();
  return values.length === 1 ? () => values[0] ?? 0 : (channel) => values[channel] ?? 0;
}

function negated(values: ChannelValues): ChannelValues {
  return (channel) => -values(channel);
}
