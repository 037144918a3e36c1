import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { carries } from "../float16/carries.js";
import { countedNodes, counting } from "../float16/counted.js";
import { dtypeOf, numbersOf, outputOf } from "../../rules/pattern.js";

/** From here on float32 does not hold every whole number. */
const mostWhole = 2 ** 24;

/**
 * Nodes of the main graph that compute in float64 with whole numbers, and whose digits count: what they come to is a whole
 * number again, as an index is, or the rest of a number that float32 does not hold, as a time since a day is. In float32
 * both would be others.
 */
export function exactDoubles(graph: Graph): ReadonlySet<NodeId> {
  const counted = countedNodes(graph, new Set(), "float64");
  const exact = new Set<NodeId>();
  const waiting: NodeId[] = [];
  for (const node of graph.order()) {
    const isOfWhole = counted.has(node.id) && hangsOnDigits(graph, node);
    const isOfLarge = node.op === "Sub" && node.inputs.some((input) => isLarge(graph, input));
    if (isOfWhole || isOfLarge) waiting.push(node.id);
  }
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (exact.has(id)) continue;
    exact.add(id);
    const node = graph.node(id);
    waiting.push(...besideOf(graph, node).filter((one) => counted.has(one)));
    waiting.push(...moversOf(graph, node));
  }
  return exact;
}

function hangsOnDigits(graph: Graph, node: Node): boolean {
  const readers = node.outputs.flatMap((output) =>
    output === null ? [] : graph.consumers(output),
  );
  return readers.some(
    (reader) => reader.op === "Cast" && counting.has(dtypeOf(graph, outputOf(reader))),
  );
}

/** A whole number that float32 may not hold. */
function isBeyond(one: number): boolean {
  return Number.isSafeInteger(one) && Math.abs(one) > mostWhole;
}

function isLarge(graph: Graph, input: ValueId | null): boolean {
  const value = input ?? undefined;
  if (dtypeOf(graph, value) !== "float64") return false;
  return numbersOf(graph, value)?.some(isBeyond) ?? false;
}

/** What only moves the doubles that a node reads: cast before, they would have lost their digits. */
function moversOf(graph: Graph, node: Node): readonly NodeId[] {
  return node.inputs.flatMap((input) => {
    const mover =
      dtypeOf(graph, input ?? undefined) === "float64" ? graph.producer(input) : undefined;
    return mover !== undefined && carries(mover) && mover.body === graph.main.id ? [mover.id] : [];
  });
}

/** Nodes that a node reads, and those that read it, of the main graph. */
function besideOf(graph: Graph, node: Node): readonly NodeId[] {
  const makers = node.inputs.flatMap((input) => graph.producer(input)?.id ?? []);
  const readers = node.outputs.flatMap((output) =>
    output === null ? [] : graph.consumers(output).map(({ id }) => id),
  );
  return [...makers, ...readers].filter((id) => graph.node(id).body === graph.main.id);
}
