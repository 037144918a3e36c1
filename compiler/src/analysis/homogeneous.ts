import type { Dim, Graph, Node } from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";

/** Where a channel lies in a value: on one axis, in `each` neighbouring places. */
export interface ChannelPlace {
  readonly axis: number;
  readonly each: number;
}

export type NotBehind = { readonly why: string };

/**
 * Where the channels of a node's first input lie in its first output, if the node is positively homogeneous in each of
 * them: f(s · x) = s · f(x) for every s > 0, and no channel in another one's result.
 */
export function channelsBehind(
  graph: Graph,
  node: Node,
  place: ChannelPlace,
): ChannelPlace | NotBehind {
  const apart = { why: `${node.op} behind it does not keep channels together` };
  const traits = operatorOf(node)?.traits;
  const [from, to] = [shapeOf(graph, node.inputs[0]), shapeOf(graph, node.outputs[0])];
  if (from === undefined) return { why: "the rank of its result is not known" };
  if (traits?.dataMovement === "reshapes") return merged(from, to, place) ?? apart;
  const { channels, clamp } = traits ?? {};
  if (clamp !== undefined && isRelu(graph, node, clamp.bounds)) return place;
  if (channels === undefined || channels.scaling === "none") {
    const why = clamp === undefined ? "does not scale with its input" : "bounds all channels alike";
    return { why: `${node.op} behind it ${why}` };
  }
  const next = channels.place(place.axis, from, attributeReader(node.attributes));
  return typeof next?.each === "number" ? { axis: next.axis, each: place.each * next.each } : apart;
}

/** Has a clamp the lower bound 0, and no upper one? */
function isRelu(graph: Graph, node: Node, [low, high]: readonly number[]): boolean {
  if (low === undefined || high === undefined) return false;
  const least = graph.constant(node.inputs[low])?.numbers()?.[0];
  return least === 0 && (node.inputs[high] ?? null) === null;
}

/** A reshape that leaves all axes before the channels' as they are, and at most merges following ones into it. */
function merged(
  from: readonly Dim[],
  to: readonly Dim[] | undefined,
  { axis, each }: ChannelPlace,
): ChannelPlace | undefined {
  if (to === undefined) return undefined;
  if (from.slice(0, axis).some((size, at) => size !== to[at])) return undefined;
  let size: Dim | undefined = from[axis];
  let more = 1;
  for (const next of [...from.slice(axis + 1), undefined]) {
    if (size === to[axis]) return { axis, each: each * more };
    if (typeof size !== "number" || typeof next !== "number") return undefined;
    size *= next;
    more *= next;
  }
  return undefined;
}

export function shapeOf(
  graph: Graph,
  id: Node["inputs"][number] | undefined,
): readonly Dim[] | undefined {
  if (id === null || id === undefined) return undefined;
  const { type } = graph.value(id);
  return type.kind === "tensor" ? type.shape : undefined;
}
