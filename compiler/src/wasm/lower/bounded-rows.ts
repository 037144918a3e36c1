import {
  edit,
  type Graph,
  isStatic,
  type Node,
  shapeOf,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { NodeFacts } from "./node-facts.js";
import { passesRows } from "./row-passage.js";
import { findsRows, nameSources, rowsIn, setRows, type Sources } from "./row-sources.js";
import type { Rows, RowsOf } from "./rows.js";

type NodeId = Node["id"];

/** A graph in which sizes that only a run knows are the most that they may be. */
export interface BoundedForm {
  readonly graph: Graph;
  /** By value, the axis of which that is true. */
  readonly rows: RowsOf;
  /** By node, why its rows cannot be bounded, or do not pass through it. */
  readonly against: ReadonlyMap<NodeId, string>;
}

/**
 * Gives what suppression leaves, or a test finds, as many rows as it may have: memory is planned, and kernels are cut, as if
 * they were all there, and what is given in the end are those that are. That needs rows of which none depends on another.
 * The inference of shapes follows them: the axis has a size first that equals no other, so that each axis of this size is
 * one of rows, and what is computed of the size is seen; then it has the number, and so has what is computed of it.
 */
export function boundRows(graph: Graph): BoundedForm {
  const against = new Map<NodeId, string>();
  if (!graph.order().some(findsRows)) return { graph, rows: new Map(), against };
  const fork = graph.fork();
  const sources = nameSources(fork, against);
  const { rows, sizes } = followed(fork, sources, against);
  for (const source of sources.values()) setRows(fork, source, source.most);
  foldSizes(fork, sizes);
  return { graph: fork, rows, against };
}

const mixed = "it works across rows of which only a run knows how many there are";
const inside = "the model gives rows of which only a run knows how many there are on an inner axis";
const inLine = "the model gives, on one axis, the elements of rows of which only a run knows how many there are"; // prettier-ignore

interface Followed {
  /** The values that have rows. */
  readonly rows: RowsOf;
  /** Integers that are computed of how many there are. */
  readonly sizes: ReadonlySet<ValueId>;
}

/** Adds to `against` through which nodes rows do not pass. */
function followed(graph: Graph, sources: Sources, against: Map<NodeId, string>): Followed {
  const rows = new Map<ValueId, Rows>();
  const sizes = new Set<ValueId>();
  const finders = new Set([...sources.values()].map(({ node }) => node));
  for (const node of graph.order()) {
    const read = [...node.inputs.entries()].flatMap(([at, id]) =>
      id === null ? [] : [{ at, id }],
    );
    const made = node.outputs.flatMap((id) =>
      id === null ? [] : [{ id, rows: rowsIn(shapeOf(graph, id), sources) }],
    );
    const isOfRows = read.some(({ id }) => rows.has(id));
    const ofSizes = read.filter(({ id }) => sizes.has(id));
    const computesSizes = ofSizes.some(({ at }) => !isTarget(node, at));
    const isSaid = made.every(({ id }) => graph.value(id).elements !== undefined);
    if (isSaid && (computesSizes || (isOfRows && asksSizes.has(node.op)))) {
      for (const { id } of made) sizes.add(id);
    } else if (isOfRows || finders.has(node.id)) {
      const passes = !isOfRows || passesRows(new NodeFacts(graph, node), finders, rows, made);
      if (computesSizes || !passes) against.set(node.id, mixed);
      else for (const { id, rows: own } of made) if (own instanceof Object) rows.set(id, own);
    } else if (computesSizes || (ofSizes.length > 0 && made.some((one) => one.rows !== "none"))) {
      // As many elements as there are rows that are not made of them.
      against.set(node.id, mixed);
    }
  }
  for (const id of graph.main.outputs) {
    const [own, maker] = [rows.get(id), graph.producer(id)];
    if (maker === undefined) continue;
    // What is given is the beginning of what was computed.
    const before = shapeOf(graph, id)?.slice(0, own?.axis ?? 0) ?? [];
    if (before.some((size) => size !== 1)) against.set(maker.id, inside);
    else if (own !== undefined && own.each !== 1) against.set(maker.id, inLine);
    if (sizes.has(id)) against.set(maker.id, mixed);
  }
  return { rows, sizes };
}

const asksSizes: ReadonlySet<string> = new Set(["Shape", "Size"]);
const takesTarget: ReadonlySet<string> = new Set(["Reshape", "Expand", "Pad"]);

/** Does the input say how large the result is, and nothing else? */
function isTarget({ op }: Node, input: number): boolean {
  return takesTarget.has(op) && input === 1;
}

/** What says how large a result is, is a number once it is known how many rows there are at most. */
function foldSizes(graph: Graph, sizes: ReadonlySet<ValueId>): void {
  const targets = graph
    .order()
    .flatMap((node) =>
      node.inputs.flatMap((id, at) =>
        id !== null && sizes.has(id) && isTarget(node, at) ? [{ node: node.id, at, id }] : [],
      ),
    );
  edit(
    graph,
    "bound-rows",
    (editor) => {
      for (const { node, at, id } of targets) {
        const { name, elements } = graph.value(id);
        const shape = shapeOf(graph, id);
        if (!shape || !elements || !isStatic(shape) || !isStatic(elements)) continue;
        editor.setInput(node, at, editor.constant(name, Tensor.int64(elements, shape)));
      }
    },
    { interface: true },
  );
}
