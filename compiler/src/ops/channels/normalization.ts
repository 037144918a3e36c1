import { attribute } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { normalizationSchemas } from "../schema/normalization.js";
import type { softmaxSchemas } from "../schema/softmax.js";
import { broadcastCouplings } from "./elementwise.js";
import {
  blocks,
  type ChannelNode,
  type Channels,
  type Coupling,
  coupled,
  each,
  hasOneOutput,
  input,
  keptSize,
  output,
} from "./coupling.js";

/** All axes but those over which statistics are taken: through these no channel passes by itself. */
function besides(node: ChannelNode, isMixed: (axis: number) => boolean): readonly Coupling[] {
  return broadcastCouplings(node, [0], (axis) => !isMixed(axis));
}

/** Each channel has numbers of its own, which stand in further inputs. */
function perChannel(parameters: readonly number[]): Channels {
  return {
    couplings(node) {
      if (!hasOneOutput(node)) return [];
      const channels = coupled(
        each(input(0), 1),
        each(output(0), 1),
        ...parameters.map((index) => each(input(index), 0)),
      );
      return [channels, ...besides(node, (axis) => axis === 1)];
    },
  };
}

/** Its groups take statistics each by itself: they go whole or not at all. */
const groupNormalization: Channels = {
  couplings(node) {
    const size = node.shape(input(0))?.[1];
    const groups = node.attributes.int("num_groups", 1);
    if (typeof size !== "number" || size % groups !== 0) return [];
    const ports = [input(1), input(2)].filter((port) => node.shape(port)?.[0] === size);
    if (ports.length !== 2) return [];
    const width = size / groups;
    return [
      coupled(
        blocks(input(0), 1, width),
        blocks(output(0), 1, width),
        ...ports.map((port) => blocks(port, 0, width)),
      ),
    ];
  },
  fit(node, kept) {
    const [before, groups] = [node.shape(input(0))?.[1], node.attributes.int("num_groups", 1)];
    const after = keptSize(node, kept, input(0), 1);
    if (typeof before !== "number" || after === undefined || after === before) return [];
    return [{ attribute: "num_groups", value: attribute.int((after * groups) / before) }];
  },
};

const overLastAxes: Channels = {
  couplings(node) {
    const rank = node.shape(input(0))?.length ?? 0;
    const first = normalAxis(node.attributes.int("axis", -1), rank);
    // A scale that differs between what is brought to mean 0 would be cut with it.
    const isOfRows = [1, 2].every(
      (index) => (node.shape(input(index))?.length ?? 0) <= rank - first,
    );
    return hasOneOutput(node) && isOfRows ? besides(node, (axis) => axis >= first) : [];
  },
};

const overOneAxis: Channels = {
  couplings(node) {
    const rank = node.shape(input(0))?.length ?? 0;
    const mixed = normalAxis(node.attributes.int("axis", -1), rank);
    return besides(node, (axis) => axis === mixed);
  },
};

export const normalizationChannels: Some<typeof normalizationSchemas, Channels> = {
  BatchNormalization: perChannel([1, 2, 3, 4]),
  InstanceNormalization: {
    couplings: (node) => perChannel([1, 2]).couplings(node).slice(0, 2),
  },
  GroupNormalization: groupNormalization,
  LayerNormalization: overLastAxes,
  LpNormalization: overOneAxis,
  LRN: { couplings: (node) => besides(node, (axis) => axis === 1) },
};

export const softmaxChannels: Some<typeof softmaxSchemas, Channels> = {
  Softmax: overOneAxis,
  LogSoftmax: overOneAxis,
  Hardmax: overOneAxis,
};
