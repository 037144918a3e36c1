import {
  bodiesOf,
  dim,
  type Dim,
  type Graph,
  type Node,
  shapeOf,
  type ValueId,
} from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** By output, the axis of its rows. */
export type RowAxes = Readonly<Record<string, number>>;

/** More is no end of a model. */
const mostNodes = 1024;
/** Rows of fewer numbers, such as scores alone, do not tell one from another. */
const leastNumbers = 4;

/**
 * Outputs whose rows a run selects by what it computes, as boxes that do not overlap or the best of all: which they are, and in
 * which order, is another where numbers differ a little. Those of as many rows are of the same, one group of outputs each.
 */
export function outputsOfSelectedRows(graph: Graph): readonly RowAxes[] {
  const numbers = numbersOfRows(graph);
  if (numbers.size === 0) return [];
  const given = new Set(
    graph.main.inputs.flatMap((id) =>
      (shapeOf(graph, id) ?? []).flatMap((size) => [...dim.symbolsOf(size)]),
    ),
  );
  const isGiven = (symbol: string): boolean => given.has(symbol);
  const groups = new Map<Dim, { readonly name: string; readonly axis: number; width: number }[]>();
  for (const id of graph.main.outputs) {
    const shape = shapeOf(graph, id) ?? [];
    // A batch of free size is one of samples, which are run one by one.
    const axis = shape.findIndex((size) => size !== 1 && ![...dim.symbolsOf(size)].some(isGiven));
    const [size, ...others] = shape.slice(axis);
    const inner = others.every((one) => typeof one === "number") ? others : null;
    if (axis < 0 || size === undefined || inner === null || !isLookedUp(graph, id, numbers))
      continue;
    const width = inner.reduce<number>((product, one) => product * one, 1);
    const group = groups.get(size) ?? [];
    groups.set(size, group);
    group.push({ name: graph.value(id).name, axis, width });
  }
  return [...groups.values()]
    .filter((group) => group.reduce((sum, { width }) => sum + width, 0) >= leastNumbers)
    .map((group) => Object.fromEntries(group.map(({ name, axis }) => [name, axis])));
}

/** What is made of the places of rows that a run selects. */
function numbersOfRows(graph: Graph): ReadonlySet<ValueId> {
  const numbers = new Set<ValueId>();
  for (const node of graph.order()) {
    const isMade = node.inputs.some((id) => id !== null && numbers.has(id));
    // Of the best of all, the first output are the numbers themselves.
    const found =
      node.op === "TopK" ? node.outputs.slice(1) : selects(graph, node) ? node.outputs : [];
    for (const id of isMade ? node.outputs : found) if (id !== null) numbers.add(id);
  }
  return numbers;
}

/** A node, or one in a body that it holds. */
function selects(graph: Graph, node: Node): boolean {
  if (operatorOf(node)?.traits.sizedByContent === true) return true;
  return bodiesOf(node).some((body) => graph.order(body).some((inner) => selects(graph, inner)));
}

const looksUp: ReadonlySet<string> = new Set(["Gather", "GatherND", "GatherElements"]);
/** Besides what moves elements or computes each by itself. */
const keepsRows: ReadonlySet<string> = new Set([
  "ArgMax",
  "Cast",
  "ReduceMax",
  "ScatterND",
  "Softmax",
]);

/** Are its elements looked up by such numbers, and only moved or computed one by one since? */
function isLookedUp(graph: Graph, output: ValueId, numbers: ReadonlySet<ValueId>): boolean {
  const seen = new Set([output]);
  const open = [output];
  for (let id = open.pop(); id !== undefined && seen.size <= mostNodes; id = open.pop()) {
    const node = graph.producer(id);
    if (node === undefined || !numbers.has(id)) continue;
    const [, indices] = node.inputs;
    if (looksUp.has(node.op) && indices !== null && indices !== undefined && numbers.has(indices))
      return true;
    const { dataMovement, elementwise } = operatorOf(node)?.traits ?? {};
    if (dataMovement === undefined && elementwise !== true && !keepsRows.has(node.op)) continue;
    for (const input of node.inputs) {
      if (input === null || seen.has(input)) continue;
      seen.add(input);
      open.push(input);
    }
  }
  return false;
}
