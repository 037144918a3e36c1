import { type Dim, type Graph, type Node, shapeOf } from "../ir/index.js";
import { channelNode, type Coupling, operatorOf, type Port, type Tie } from "../ops/index.js";

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
  if (shapeOf(graph, node.inputs[0]) === undefined)
    return { why: "the rank of its result is not known" };
  const { channels, traits } = operatorOf(node) ?? {};
  if (traits?.scaling === undefined && !isRelu(graph, node, traits?.clamp?.bounds ?? [])) {
    const why =
      traits?.clamp === undefined ? "does not scale with its input" : "bounds all channels alike";
    return { why: `${node.op} behind it ${why}` };
  }
  const view = channelNode(graph, node);
  const couplings = channels?.couplings(view) ?? [];
  const next = movedTo(couplings, place.axis, ({ port, axis }) => view.shape(port)?.[axis]);
  if (next === undefined) return { why: `${node.op} behind it does not keep channels together` };
  return { axis: next.axis, each: place.each * next.each };
}

/** Where the places of an axis of the first input lie in the first output; undefined where they do not stay together. */
function movedTo(
  couplings: readonly Coupling[],
  axis: number,
  sizeOf: (tie: Tie) => Dim | undefined,
): ChannelPlace | undefined {
  const [one, another] = couplings.filter(({ ties }) => ties.some(isAt("input", axis)));
  const from = one?.ties.find(isAt("input", axis));
  const to = one?.ties.find(isAt("output"));
  if (from === undefined || to === undefined || another !== undefined) return undefined;
  const [before, after] = [sizeOf(from), sizeOf(to)];
  if (typeof before !== "number" || typeof after !== "number") return undefined;
  const each = after / before;
  for (let place = 0; place < before; place += 1)
    if (from.channelOf(place) !== place) return undefined;
  for (let place = 0; place < after; place += 1)
    if (to.channelOf(place) !== Math.floor(place / each)) return undefined;
  return { axis: to.axis, each };
}

function isAt(side: Port["side"], axis?: number): (tie: Tie) => boolean {
  return (tie) =>
    tie.port.side === side && tie.port.index === 0 && (axis === undefined || tie.axis === axis);
}

/** Has a clamp the lower bound 0, and no upper one? */
function isRelu(graph: Graph, node: Node, [low, high]: readonly number[]): boolean {
  if (low === undefined || high === undefined) return false;
  const least = graph.constant(node.inputs[low])?.numbers()?.[0];
  return least === 0 && (node.inputs[high] ?? null) === null;
}
