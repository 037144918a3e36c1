import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { isElementwise } from "../float16/carries.js";
import { countedNodes } from "../float16/counted.js";
import { dtypeOf, numbersOf, outputOf } from "../../rules/pattern.js";

/** From here on float32 does not hold every whole number. */
const mostWhole = 2 ** 24;
const integers: ReadonlySet<string | undefined> = new Set(["int32", "int64", "uint32", "uint64"]);

/**
 * Nodes that compute in float64 with whole numbers, and whose digits count: what they come to is a whole number again, as an
 * index is, or the rest of a number that float32 does not hold, as a time since a day is. In float32 both would be others.
 */
export function exactDoubles(graph: Graph): ReadonlySet<NodeId> {
  const counted = countedNodes(graph, new Set(), "float64");
  const exact = new Set<NodeId>();
  const waiting: NodeId[] = [];
  for (const node of graph.allNodes()) {
    const isOfWhole = counted.has(node.id) && hangsOnDigits(graph, node);
    const isOfLarge = isElementwise(node) && node.inputs.some((input) => isLarge(graph, input));
    if (isOfWhole || isOfLarge) waiting.push(node.id);
  }
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (exact.has(id)) continue;
    exact.add(id);
    waiting.push(...besideOf(graph, graph.node(id)).filter((one) => counted.has(one)));
  }
  return exact;
}

function hangsOnDigits(graph: Graph, node: Node): boolean {
  const readers = node.outputs.flatMap((output) =>
    output === null ? [] : graph.consumers(output),
  );
  return readers.some(
    (reader) => reader.op === "Cast" && integers.has(dtypeOf(graph, outputOf(reader))),
  );
}

/** A whole number that float32 may not hold; not one as large as masks are. */
function isBeyond(one: number): boolean {
  return Number.isSafeInteger(one) && Math.abs(one) > mostWhole;
}

function isLarge(graph: Graph, input: ValueId | null): boolean {
  const value = input ?? undefined;
  if (dtypeOf(graph, value) !== "float64") return false;
  return numbersOf(graph, value)?.some(isBeyond) ?? false;
}

/** Nodes that a node reads, and those that read it. */
function besideOf(graph: Graph, node: Node): readonly NodeId[] {
  const makers = node.inputs.flatMap((input) => graph.producer(input)?.id ?? []);
  const readers = node.outputs.flatMap((output) =>
    output === null ? [] : graph.consumers(output).map(({ id }) => id),
  );
  return [...makers, ...readers];
}
