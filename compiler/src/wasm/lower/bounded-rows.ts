import { keyOf } from "../../ops/index.js";
import {
  type Dim,
  dim,
  edit,
  type Graph,
  isStatic,
  type Node,
  tensorType,
  type ValueId,
  shapeOf,
} from "../../ir/index.js";
import { lowerings } from "./lowerings.js";
import { NodeFacts } from "./node-facts.js";
import type { Rows, RowsOf } from "./rows.js";
import { mostKept } from "./suppression.js";

type NodeId = Node["id"];

/** A graph in which sizes that only a run knows are the most that they may be. */
export interface BoundedForm {
  readonly graph: Graph;
  /** By value, the axis of which that is true. */
  readonly rows: RowsOf;
  /** By node, why its rows cannot be bounded, or do not pass through it. */
  readonly against: ReadonlyMap<NodeId, string>;
}

/** All that there may be are computed in each run: more are no few that were chosen. */
const mostRows = 2 ** 18;

/**
 * Gives what suppression leaves as many rows as it may have: memory is planned, and kernels are cut, as if they were all
 * there, and what is given in the end are those that are. That needs rows of which none depends on another. The inference
 * of shapes follows them: the axis has a size first that equals no other, so that each axis of this size is one of rows,
 * and what is computed of the size is seen; then it has the number.
 */
export function boundRows(graph: Graph): BoundedForm {
  const against = new Map<NodeId, string>();
  const bounds = new Map<NodeId, number>();
  for (const node of graph.order()) {
    if (node.op !== "NonMaxSuppression" || node.domain !== "") continue;
    const bound = boundOf(new NodeFacts(graph, node));
    if (typeof bound === "number") bounds.set(node.id, bound);
    else if (bound !== undefined) against.set(node.id, bound);
  }
  if (bounds.size === 0) return { graph, rows: new Map(), against };
  const fork = graph.fork();
  const symbols = new Map([...bounds.keys()].map((source) => [dim.unknown(), source]));
  setRows(fork, new Map([...symbols].map(([size, source]) => [source, size])));
  const rows = followed(fork, symbols, against);
  setRows(fork, bounds);
  return { graph: fork, rows, against };
}

/** How many rows there may be, or why nobody knows; undefined where that is said of other sizes. */
function boundOf(node: NodeFacts): number | string | undefined {
  const [boxes, scores] = [0, 1].map((at) => shapeOf(node.graph, node.required(at)));
  if (!boxes || !scores || !isStatic(boxes) || !isStatic(scores)) return undefined;
  const most = mostKept(node);
  if (most === undefined) return "how many boxes it keeps of a class must be constant";
  const [batches = 0, classes = 0] = scores;
  const count = batches * classes * most;
  return count > mostRows
    ? `it may keep ${count} boxes, and ${mostRows} are compiled: give it a smaller max_output_boxes_per_class`
    : // None at all is said of a row.
      Math.max(1, count);
}

function setRows(graph: Graph, sizes: ReadonlyMap<NodeId, Dim>): void {
  edit(
    graph,
    "bound-rows",
    (editor) => {
      for (const [source, size] of sizes)
        for (const id of graph.node(source).outputs)
          if (id !== null) editor.setType(id, tensorType("int64", [size, 3]));
    },
    { interface: true },
  );
}

const mixed = "it works across rows of which only a run knows how many there are";
const inside = "the model gives rows of which only a run knows how many there are on an inner axis";

/** The values that have the rows. Adds to `against` through which nodes rows do not pass. */
function followed(
  graph: Graph,
  symbols: ReadonlyMap<Dim, NodeId>,
  against: Map<NodeId, string>,
): RowsOf {
  const names = new Set([...symbols.keys()].flatMap((size) => [...dim.symbolsOf(size)]));
  const isCounted = (size: Dim): boolean => [...dim.symbolsOf(size)].some((one) => names.has(one));
  /** Where a shape says so, and nothing else in it is computed of how many there are. */
  const rowsIn = (id: ValueId): Rows | undefined => {
    const shape = shapeOf(graph, id) ?? [];
    const axis = shape.findIndex(isCounted);
    const source = symbols.get(shape[axis] ?? 1);
    const isOne = !shape.slice(axis + 1).some(isCounted);
    return source !== undefined && isOne ? { source, axis } : undefined;
  };
  const sources = new Set(symbols.values());
  const rows = new Map<ValueId, Rows>();
  for (const node of graph.order()) {
    const made = node.outputs.flatMap((id) => (id === null ? [] : [{ id, own: rowsIn(id) }]));
    const read = node.inputs.map((id) => (id === null ? undefined : rows.get(id)));
    const [first] = read.filter((one) => one !== undefined);
    if (first !== undefined && !passes(new NodeFacts(graph, node), first, read, made)) {
      against.set(node.id, mixed);
    } else if (first !== undefined || sources.has(node.id)) {
      for (const { id, own } of made) if (own !== undefined) rows.set(id, own);
    }
  }
  for (const id of graph.main.outputs) {
    const [own, maker] = [rows.get(id), graph.producer(id)];
    // What is given is the beginning of what was computed.
    const before = shapeOf(graph, id)?.slice(0, own?.axis ?? 0) ?? [];
    if (maker !== undefined && before.some((size) => size !== 1)) against.set(maker.id, inside);
  }
  return rows;
}

/** Do the rows of one source, and no others, pass through a node? */
function passes(
  node: NodeFacts,
  { source }: Rows,
  read: readonly (Rows | undefined)[],
  made: readonly { readonly own: Rows | undefined }[],
): boolean {
  const [output] = made;
  const rule = lowerings.get(keyOf(node.node))?.rows;
  if (output?.own === undefined || rule === undefined) return false;
  const isOfOne =
    read.every((own) => own === undefined || own.source === source) &&
    made.every(({ own }) => own?.source === source);
  const inputs = read.map((own) => own?.axis);
  return isOfOne && rule({ node, inputs, output: output.own.axis });
}
