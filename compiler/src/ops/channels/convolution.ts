import { attribute } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { convolutionSchemas } from "../schema/convolution.js";
import {
  blocks,
  type ChannelNode,
  type Channels,
  coupled,
  type Coupling,
  each,
  type Fit,
  input,
  keptSize,
  output,
  periodic,
  type Port,
  summed,
  type Tie,
} from "./coupling.js";

const x = input(0);
const weight = input(1);
const y = output(0);

/** Of one group: how many inputs it has, and how many outputs. */
interface Groups {
  readonly count: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** One bias for each output channel, where there is one. */
function biasTies(node: ChannelNode, alike: (port: Port, axis: number) => Tie): readonly Tie[] {
  return node.shape(input(2)) === undefined ? [] : [alike(input(2), 0)];
}

function batch(): Coupling {
  return coupled(each(x, 0), each(y, 0));
}

/**
 * A group's channels are cut in one of two ways: whole groups, what they read and what they give together (depthwise
 * convolutions know no other); or of every group the channel at the same place, so that all groups stay alike. The one
 * that leaves more to choose from is taken.
 */
function cutsGroups({ count, inputs }: Groups): boolean {
  return count > inputs;
}

/** The weight is [outputs, inputs of a group, …kernel]. */
const convolution: Channels = {
  couplings(node) {
    const [outputs, inputs] = node.shape(weight) ?? [];
    const group = node.attributes.int("group", 1);
    if (typeof outputs !== "number" || typeof inputs !== "number" || outputs % group !== 0)
      return [batch()];
    const groups: Groups = { count: group, inputs, outputs: outputs / group };
    if (cutsGroups(groups)) {
      const made = (port: Port, axis: number): Tie => blocks(port, axis, groups.outputs);
      return [
        batch(),
        coupled(made(y, 1), made(weight, 0), ...biasTies(node, made), blocks(x, 1, inputs)),
      ];
    }
    const made = (port: Port, axis: number): Tie => periodic(port, axis, groups.outputs);
    return [
      batch(),
      coupled(made(y, 1), made(weight, 0), ...biasTies(node, made)),
      coupled(summed(periodic(x, 1, inputs)), each(weight, 1)),
    ];
  },
  fit: (node, kept) => groupFit(node, keptSize(node, kept, x, 1), keptSize(node, kept, weight, 1)),
};

/** The weight is [inputs, outputs of a group, …kernel]. */
const transposed: Channels = {
  couplings(node) {
    const [inputs, outputs] = node.shape(weight) ?? [];
    const group = node.attributes.int("group", 1);
    if (typeof outputs !== "number" || typeof inputs !== "number" || inputs % group !== 0)
      return [batch()];
    const groups: Groups = { count: group, inputs: inputs / group, outputs };
    if (cutsGroups(groups)) {
      const made = (port: Port, axis: number): Tie => blocks(port, axis, outputs);
      const read = (port: Port, axis: number): Tie => blocks(port, axis, groups.inputs);
      return [batch(), coupled(made(y, 1), ...biasTies(node, made), read(weight, 0), read(x, 1))];
    }
    const made = (port: Port, axis: number): Tie => periodic(port, axis, outputs);
    const read = (port: Port, axis: number): Tie => periodic(port, axis, groups.inputs);
    return [
      batch(),
      coupled(made(y, 1), each(weight, 1), ...biasTies(node, made)),
      coupled(summed(read(x, 1)), read(weight, 0)),
    ];
  },
  fit: (node, kept) => groupFit(node, keptSize(node, kept, y, 1), keptSize(node, kept, weight, 1)),
};

function groupFit(
  node: ChannelNode,
  all: number | undefined,
  ofOne: number | undefined,
): readonly Fit[] {
  const group = node.attributes.int("group", 1);
  if (group === 1 || all === undefined || ofOne === undefined || all === group * ofOne) return [];
  return [{ attribute: "group", value: attribute.int(all / ofOne) }];
}

export const convolutionChannels: Some<typeof convolutionSchemas, Channels> = {
  Conv: convolution,
  ConvTranspose: transposed,
};
