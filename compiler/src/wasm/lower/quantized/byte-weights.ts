import { type ValueId, shapeOf } from "../../../ir/index.js";
import { dtypeOf, type NodeFacts } from "../node-facts.js";
import type { Lowering } from "../lowering.js";

/** Integers of eight bits with a sign, by output channel those it sums over, as they are multiplied. */
export interface ByteWeights {
  readonly channels: number;
  /** Summed over by each channel. */
  readonly depth: number;
  readonly at: (channel: number, k: number) => number;
  /** What is still to be taken off the weights of each channel: without it all of them fit eight bits, with it some do not. */
  readonly zeros: Int32Array | undefined;
}

/** Why a MatMulInteger or ConvInteger is not compiled whose sizes fit. @param channels of its weights: of output */
export function refuseIntegers(node: NodeFacts, channels: number): string | undefined {
  const { graph } = node;
  const [x, w] = [node.required(0), node.required(1)];
  if (dtypeOf(graph, x) !== "uint8") return "it is compiled where what it multiplies is uint8";
  if (!node.isConstant(1)) return "the weights must be constant";
  const type = dtypeOf(graph, w);
  if (type !== "uint8" && type !== "int8") return "its weights must be uint8 or int8";
  const [zero, weightZero] = [node.input(2), node.input(3)];
  if (zero !== undefined && (dtypeOf(graph, zero) !== "uint8" || countOf(node, zero) !== 1))
    return "its zero point must be one uint8";
  if (weightZero === undefined) return undefined;
  const isKnown = node.isConstant(3) && dtypeOf(graph, weightZero) === type;
  const count = countOf(node, weightZero);
  const rank = shapeOf(graph, weightZero)?.length ?? 0;
  return isKnown && (count === 1 || (count === channels && rank === 1))
    ? undefined
    : "the zero points of its weights must be constant, one or one for each channel of the result";
}

function countOf({ graph }: NodeFacts, id: ValueId): number {
  return (shapeOf(graph, id) ?? []).reduce<number>((count, size) => count * Number(size), 1);
}

/** The weights of a node that was not refused. @param axis of the output channels, the first or the last */
export function byteWeights(node: NodeFacts, l: Lowering, axis: 0 | 1): ByteWeights {
  const data = l.array(node.required(1));
  const dims = node.dims(1);
  const channels = dims[axis] ?? 1;
  if (!(data instanceof Uint8Array || data instanceof Int8Array))
    throw node.fault("has weights that are no bytes");
  const depth = data.length / channels;
  const zeroId = node.input(3);
  const given = zeroId === undefined ? [0] : Array.from(l.array(zeroId) ?? [0], Number);
  const zeroOf = (channel: number): number => given[given.length === 1 ? 0 : channel] ?? 0;
  const raw = (channel: number, k: number): number =>
    data[axis === 0 ? channel * depth + k : k * channels + channel] ?? 0;
  if (isAllSmall(channels, depth, (channel, k) => raw(channel, k) - zeroOf(channel)))
    return { channels, depth, at: (c, k) => raw(c, k) - zeroOf(c), zeros: undefined };
  const middle = data instanceof Uint8Array ? 128 : 0;
  return {
    channels,
    depth,
    at: (channel, k) => raw(channel, k) - middle,
    zeros: Int32Array.from({ length: channels }, (_, channel) => zeroOf(channel) - middle),
  };
}

function isAllSmall(channels: number, depth: number, at: ByteWeights["at"]): boolean {
  for (let channel = 0; channel < channels; channel += 1)
    for (let k = 0; k < depth; k += 1) {
      const weight = at(channel, k);
      if (weight < -128 || weight > 127) return false;
    }
  return true;
}

/** Sums of a group, with one more where zero points of weights are still to be taken off: that of the input alone. */
export function sumsOf({ channels, zeros }: ByteWeights, groups: number): number {
  return channels / groups + (zeros === undefined ? 0 : 1);
}

/** The k-th weight of a group's n-th sum. */
export function weightOf(
  weights: ByteWeights,
  groups: number,
  group: number,
  n: number,
  k: number,
) {
  const each = weights.channels / groups;
  return n === each ? 1 : weights.at(group * each + n, k);
}
