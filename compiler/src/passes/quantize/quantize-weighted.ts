import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import { guardedScales, quantizeBias, type QuantizedBias } from "../../quantize/bias.js";
import type { RangeMethod } from "../../quantize/range.js";
import {
  quantizeWeights,
  type QuantizedWeights,
  type WeightBits,
  weightScales,
} from "../../quantize/weights.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { StaticPlan } from "./plan-static.js";
import type { WeightedNode } from "./weighted-node.js";

export interface WeightOptions {
  readonly granularity: "channel" | "tensor";
  readonly weightRanges: RangeMethod;
  readonly weightBits: WeightBits;
}

/** A weight as it is stored; nodes that share it share this too. */
export interface StoredWeight {
  readonly value: ValueId;
  readonly axis: number | undefined;
  readonly weights: QuantizedWeights;
}

export interface QuantizedNode {
  readonly weighted: WeightedNode;
  readonly stored: StoredWeight;
  readonly bias: QuantizedBias | null;
}

/** Rounds weights and biases. A weight that several nodes share is widened to suit the bias of each. */
export async function quantizeWeightedNodes(
  graph: Graph,
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  options: WeightOptions,
): Promise<ReadonlyMap<NodeId, QuantizedNode>> {
  const groups = new Map<string, WeightedNode[]>();
  for (const weighted of plan.weighted) {
    const key = `${weighted.weight} ${weighted.axis ?? ""}`;
    const group = groups.get(key) ?? [];
    group.push(weighted);
    groups.set(key, group);
  }
  const quantized = new Map<NodeId, QuantizedNode>();
  for (const group of groups.values())
    for (const node of await quantizeGroup(group, activations, options))
      quantized.set(node.weighted.node.id, node);
  return quantized;
}

async function quantizeGroup(
  group: readonly WeightedNode[],
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  options: WeightOptions,
): Promise<readonly QuantizedNode[]> {
  const [first] = group;
  if (first === undefined) return [];
  const { dims } = first.weightTensor;
  const axis = options.granularity === "channel" ? first.axis : undefined;
  const values = await first.weightTensor.readFloat32();
  const biases: { weighted: WeightedNode; inputScale: number; bias: Float32Array | null }[] = [];
  for (const weighted of group) {
    const inputScale = activations.get(weighted.activation)?.affine.scale ?? 1;
    biases.push({
      weighted,
      inputScale,
      bias: weighted.bias === null ? null : await weighted.bias.tensor.readFloat32(),
    });
  }
  let scales = weightScales(values, dims, axis, options.weightBits, options.weightRanges);
  for (const { inputScale, bias } of biases)
    if (bias !== null) scales = guardedScales(scales, inputScale, bias);
  const stored: StoredWeight = {
    value: first.weight,
    axis,
    weights: quantizeWeights(values, dims, axis, options.weightBits, scales),
  };
  return biases.map(({ weighted, inputScale, bias }) => ({
    weighted,
    stored,
    bias: bias === null ? null : quantizeBias(bias, inputScale, scales),
  }));
}
