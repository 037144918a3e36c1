import { type Dim, type Graph, type Node } from "../ir/index.js";

/** Where a channel lies in a value: on one axis, in `each` neighbouring places. */
export interface ChannelPlace {
  readonly axis: number;
  readonly each: number;
}

export type NotBehind = { readonly why: string };

const elementwise = new Set(["Relu", "LeakyRelu", "PRelu", "Abs", "Neg", "Identity"]);
const pools = new Set([
  "MaxPool",
  "AveragePool",
  "LpPool",
  "GlobalMaxPool",
  "GlobalAveragePool",
  "GlobalLpPool",
]);
const reshapes = new Set(["Flatten", "Reshape", "Squeeze", "Unsqueeze"]);

/**
 * Where the channels of a node's first input lie in its first output, if the node is positively homogeneous in each of
 * them: f(s · x) = s · f(x) for every s > 0, and no channel in another one's result.
 */
export function channelsBehind(
  graph: Graph,
  node: Node,
  place: ChannelPlace,
): ChannelPlace | NotBehind {
  const alike = { why: `${node.op} behind it does not scale with its input` };
  if (node.domain !== "") return alike;
  if (elementwise.has(node.op)) return place;
  if (node.op === "Clip")
    return isRelu(graph, node) ? place : { why: "Clip behind it bounds all channels alike" };
  if (pools.has(node.op)) return place.axis === 1 ? place : alike;
  if (node.op === "Transpose") {
    const order = node.attributes.get("perm");
    const axis = order?.type === "ints" ? order.value.indexOf(BigInt(place.axis)) : -1;
    return axis < 0 ? alike : { ...place, axis };
  }
  if (!reshapes.has(node.op)) return alike;
  return (
    merged(shapeOf(graph, node.inputs[0]), shapeOf(graph, node.outputs[0]), place) ?? {
      why: `${node.op} behind it does not keep channels together`,
    }
  );
}

/** A Clip that has no upper bound and the lower one 0. */
function isRelu(graph: Graph, node: Node): boolean {
  const bounds = node.inputs.slice(1).map((id) => {
    return id === null ? null : (graph.constant(id)?.numbers()?.[0] ?? NaN);
  });
  return bounds[0] === 0 && (bounds[1] ?? null) === null;
}

/** A reshape that leaves all axes before the channels' as they are, and at most merges following ones into it. */
function merged(
  from: readonly Dim[] | undefined,
  to: readonly Dim[] | undefined,
  { axis, each }: ChannelPlace,
): ChannelPlace | undefined {
  if (from === undefined || to === undefined) return undefined;
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
