import type { WeightedNode } from "../../../analysis/weighted-node.js";
import type { Node, NodeId, ValueId } from "../../../ir/index.js";
import { meanShift, quantizeBias, type QuantizedBias } from "../../../quantize/bias.js";
import { dequantize, quantize, type QuantizedTensor } from "../../../quantize/round.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { StaticPlan } from "./static-plan.js";
import {
  type WeightFormat,
  weightFormat,
  type WeightGroup,
  weightGroups,
  weightScales,
} from "./weight-groups.js";

export interface WeightOptions extends WeightFormat {
  /** Of groups, by their keys: scales that a training found. */
  readonly learnedScales?: ReadonlyMap<string, Float32Array> | undefined;
  /** Takes out of biases what rounding the weights shifts results by, on average. */
  readonly correctBias: boolean;
}

/** A weight as integers; nodes that share it share this too. */
export interface RoundedWeight {
  readonly value: ValueId;
  readonly tensor: QuantizedTensor;
}

export interface QuantizedNode {
  readonly weighted: WeightedNode;
  readonly weight: RoundedWeight;
  readonly bias: QuantizedBias | null;
}

/** What quantizing one node with weights needs of its input. */
interface NodeInput {
  readonly weighted: WeightedNode;
  readonly inputScale: number;
  readonly bias: Float32Array | null;
}

/** Rounds weights and biases. A weight that several nodes share is widened to suit the bias of each. */
export async function quantizeWeightedNodes(
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  options: WeightOptions,
): Promise<ReadonlyMap<NodeId, QuantizedNode>> {
  const quantized = new Map<NodeId, QuantizedNode>();
  for (const group of weightGroups(plan))
    for (const node of await quantizeGroup(group, activations, options))
      quantized.set(node.weighted.node.id, node);
  return quantized;
}

async function quantizeGroup(
  group: WeightGroup,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  options: WeightOptions,
): Promise<readonly QuantizedNode[]> {
  const { first, nodes, key } = group;
  const values = await first.weightTensor.readFloat32();
  const inputs: NodeInput[] = [];
  for (const weighted of nodes) {
    const inputScale = activations.get(weighted.activation)?.scale.scale ?? 1;
    const bias = weighted.bias === null ? null : await weighted.bias.tensor.readFloat32();
    inputs.push({ weighted, inputScale, bias });
  }
  const learned = options.learnedScales?.get(key);
  const chosen = await weightScales(group, values, activations, options, learned);
  const { scales } = chosen;
  const tensor = quantize(values, first.weightTensor.dims, weightFormat(first, options), chosen);
  const rounded = options.correctBias ? dequantize(tensor) : values;
  const weight: RoundedWeight = { value: first.weight, tensor };
  return inputs.map((input) => {
    const { weighted, inputScale } = input;
    const means = options.correctBias
      ? activations.get(weighted.activation)?.channelMeans?.get(weighted.linear.inputChannels)
      : undefined;
    const bias = means === undefined ? input.bias : correctedBias(input, values, rounded, means);
    return {
      weighted,
      weight,
      bias: bias === null ? null : quantizeBias(bias, inputScale, scales),
    };
  });
}

/** The bias, or zero where the node could have one, less what rounding the weights adds. */
function correctedBias(
  { weighted, bias }: NodeInput,
  values: Float32Array,
  rounded: Float32Array,
  means: ArrayLike<number>,
): Float32Array | null {
  const { weightTensor, axis, group } = weighted;
  if (!canCorrectBias(weighted) || (axis !== 0 && axis !== 1)) return bias;
  const shift = meanShift(values, rounded, weightTensor.dims, axis, group, means);
  return Float32Array.from(shift, (lost, channel) => (bias?.[channel] ?? 0) + lost);
}

/**
 * Can a bias take out what rounding the weights shifts results by? A convolution that pads sees less of its input at
 * the borders than the mean says: where rows are few its correction would do harm.
 */
export function canCorrectBias({ node, linear, kind, axis }: WeightedNode): boolean {
  return linear.bias !== undefined && kind !== "transposed" && axis !== undefined && !pads(node);
}

function pads(node: Node): boolean {
  const padding = node.attributes.get("pads");
  const automatic = node.attributes.get("auto_pad");
  if (automatic?.type === "string" && String(automatic.value).startsWith("SAME")) return true;
  return padding?.type === "ints" && padding.value.some((size) => size !== 0n);
}
