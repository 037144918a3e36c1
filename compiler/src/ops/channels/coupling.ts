import type { Attribute, Dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

/** One of a node's tensors. */
export interface Port {
  readonly side: "input" | "output";
  readonly index: number;
}

/** A node by its sizes and its constants. Positions beyond its tensors, and tensors left out, give undefined. */
export interface ChannelNode {
  readonly inputs: number;
  readonly outputs: number;
  shape(port: Port): readonly Dim[] | undefined;
  /** The integers of a constant input. */
  integers(input: number): readonly number[] | undefined;
  /** The numbers of a small constant input. */
  numbers(input: number): readonly number[] | undefined;
  isConstant(input: number): boolean;
  readonly attributes: AttributeReader;
}

/** A tensor along one of its axes: which channel each place on it belongs to. */
export interface Tie {
  readonly port: Port;
  readonly axis: number;
  /** The channel of a place; −1 is none: what lies there must stay. */
  readonly channelOf: (place: number) => number;
  /** The operator sums over the channels here, so that one that is zero in this tensor counts for nothing. */
  readonly sums: boolean;
}

/**
 * Tensors of one node that have channels in common: what lies in a channel is made of that channel in the others alone.
 * Without it in all of them, the node gives what it gave, without it. Where an input sums over the channels and no
 * output has them, the node gives what it would give were the channel zero there.
 */
export interface Coupling {
  readonly ties: readonly Tie[];
  /** Of couplings with the same number at most one can hold: a reshape takes an axis apart in one way or another. */
  readonly choice?: number;
  /** Its channels are matrices that are multiplied each by itself, as attention does with its heads. */
  readonly stacks?: true;
}

/** What is left of a node's tensors. */
export interface Kept {
  /** The places that stay on an axis, ascending; undefined where all do. */
  places(port: Port, axis: number): readonly number[] | undefined;
}

/** What a node says besides its tensors of floats, and has to say otherwise when channels went. */
export type Fit =
  | { readonly attribute: string; readonly value: Attribute | undefined }
  | { readonly input: number; readonly integers: readonly number[] };

/** How channels pass through an operator: through any axis that stands in no coupling they do not. */
export interface Channels {
  couplings(node: ChannelNode): readonly Coupling[];
  /** @param node as it was before the cut */
  fit?(node: ChannelNode, kept: Kept): readonly Fit[];
}

export const input = (index: number): Port => ({ side: "input", index });
export const output = (index: number): Port => ({ side: "output", index });

const itself = (place: number): number => place;

/** Each place is a channel of its own. */
export function each(port: Port, axis: number): Tie {
  return { port, axis, channelOf: itself, sums: false };
}

export function tie(port: Port, axis: number, channelOf: (place: number) => number): Tie {
  return { port, axis, channelOf, sums: false };
}

/** Where the operator sums over channels. */
export function summed({ port, axis, channelOf }: Tie): Tie {
  return { port, axis, channelOf, sums: true };
}

/** `width` neighbouring places are a channel. */
export function blocks(port: Port, axis: number, width: number): Tie {
  return tie(port, axis, (place) => Math.floor(place / width));
}

/** Every `period`-th place belongs to the same channel. */
export function periodic(port: Port, axis: number, period: number): Tie {
  return tie(port, axis, (place) => place % period);
}

export function coupled(...ties: readonly Tie[]): Coupling {
  return { ties };
}

/** How many places stay on an axis; undefined where the shape does not say. */
export function keptSize(
  node: ChannelNode,
  kept: Kept,
  port: Port,
  axis: number,
): number | undefined {
  const size = kept.places(port, axis)?.length ?? node.shape(port)?.[axis];
  return typeof size === "number" ? size : undefined;
}

/** Does only the first output exist, so that nothing else tells of channels? */
export function hasOneOutput(node: ChannelNode): boolean {
  for (let index = 1; index < node.outputs; index += 1)
    if (node.shape(output(index)) !== undefined) return false;
  return true;
}
