import {
  type Dim,
  dim,
  edit,
  type Graph,
  isStatic,
  type Node,
  product,
  shapeOf,
  tensorType,
} from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { dtypeOf, NodeFacts } from "./node-facts.js";
import type { Rows } from "./rows.js";
import { mostKept } from "./suppression.js";

type NodeId = Node["id"];

/** A node of whose result only a run knows how many rows it has. */
export interface Source {
  readonly node: NodeId;
  /** Of its first output. */
  readonly axis: number;
  /** What stands for how many there are: it equals no other size. */
  readonly size: Dim;
  /** How many there are at most. */
  readonly most: number;
}

/** By the symbol in their sizes. */
export type Sources = ReadonlyMap<string, Source>;

/** All that there may be are computed in each run: more are no few that were chosen. */
const mostRows = 2 ** 18;
/** Each is followed through the graph by itself. */
const mostSources = 64;

/**
 * Gives the rows of each node that finds some, or takes the first of them, a size of its own. What is computed of rows has
 * that size as well, by inference. Adds to `against` why there is no bound of a node's.
 */
export function nameSources(graph: Graph, against: Map<NodeId, string>): Sources {
  const sources = new Map<string, Source>();
  const bounds = new Map<string, Dim>();
  for (const node of graph.order()) {
    const found =
      findersRows(new NodeFacts(graph, node), bounds) ?? firstRows(graph, node, sources);
    if (found === undefined) continue;
    if (typeof found === "string" || sources.size === mostSources) {
      const many = `more than ${mostSources} nodes find rows`;
      against.set(node.id, typeof found === "string" ? found : many);
      continue;
    }
    const size = dim.unknown();
    const source: Source = { node: node.id, size, ...found };
    setRows(graph, source, size);
    for (const name of dim.symbolsOf(size)) {
      sources.set(name, source);
      bounds.set(name, found.most);
    }
  }
  return sources;
}

/** Which rows, or why there is no bound of them. */
type Found = Pick<Source, "axis" | "most"> | string;

/** Does it find rows? */
export function findsRows({ op, domain }: Node): boolean {
  return domain === "" && (op === "NonMaxSuppression" || op === "NonZero");
}

/** Undefined where it finds none, or that no bound is known is said of other sizes. */
function findersRows(node: NodeFacts, bounds: ReadonlyMap<string, Dim>): Found | undefined {
  if (!findsRows(node.node)) return undefined;
  const shapeAt = (input: number): readonly Dim[] | undefined =>
    shapeOf(node.graph, node.input(input))?.map((size) => dim.substitute(size, bounds));
  if (node.node.op === "NonZero") {
    const shape = shapeAt(0);
    if (shape === undefined || !isStatic(shape)) return undefined;
    const most = Number(product(shape));
    return most > mostRows
      ? `it looks at ${most} elements, and ${mostRows} are compiled`
      : { axis: 1, most: Math.max(1, most) };
  }
  const [boxes, scores] = [shapeAt(0), shapeAt(1)];
  if (!boxes || !scores || !isStatic(boxes) || !isStatic(scores)) return undefined;
  const [batches = 0, classes = 0, count = 0] = scores;
  const most = batches * classes * mostKept(node, count);
  return most > mostRows
    ? `it may keep ${most} boxes, and ${mostRows} are compiled: give it a smaller, constant max_output_boxes_per_class`
    : // None at all is said of a row.
      { axis: 0, most: Math.max(1, most) };
}

/** The first few of the rows of a source. */
function firstRows(graph: Graph, node: Node, sources: Sources): Found | undefined {
  if (node.op !== "Slice" || node.domain !== "") return undefined;
  const facts = new NodeFacts(graph, node);
  const [from, to] = [shapeOf(graph, facts.input(0)), shapeOf(graph, facts.output())];
  const isComputed = [3, 4].some((at) => facts.input(at) !== undefined && !facts.isConstant(at));
  const numbers = [1, 2, 3, 4].map((at) => facts.numbers(at));
  const [starts, ends, axes = starts?.map((_, at) => at), steps] = numbers;
  if (isComputed || !from || !to || !starts || !ends || !axes) return undefined;
  for (const [at, given] of axes.entries()) {
    const axis = normalAxis(given, from.length);
    const size = from[axis] ?? 0;
    const source = [...dim.symbolsOf(size)].map((name) => sources.get(name))[0];
    if (source?.size !== size || to[axis] === size) continue;
    const [start, end = 0, step] = [starts[at], ends[at], steps?.[at] ?? 1];
    if (start === 0 && step === 1 && end > 0) return { axis, most: Math.min(end, source.most) };
  }
  return undefined;
}

/** Says how many rows there are of a source. */
export function setRows(graph: Graph, { node, axis }: Source, size: Dim): void {
  const id = new NodeFacts(graph, graph.node(node)).output();
  const shape = shapeOf(graph, id)?.map((own, at) => (at === axis ? size : own));
  edit(graph, "bound-rows", (editor) => editor.setType(id, tensorType(dtypeOf(graph, id), shape)), {
    interface: true,
  });
}

/**
 * The rows of a shape: "none" where nothing in it is computed of how many there are, and "mixed" where anything but the size
 * of one axis is, or that is no multiple of their number.
 */
export function rowsIn(
  shape: readonly Dim[] | undefined,
  sources: Sources,
): Rows | "none" | "mixed" {
  const counted = [...(shape ?? []).entries()].flatMap(([axis, size]) => {
    const found = [...dim.symbolsOf(size)].flatMap((name) => sources.get(name) ?? []);
    return found.map((source) => ({ axis, source, each: dim.divideExactly(size, source.size) }));
  });
  const [first] = counted;
  if (first === undefined) return "none";
  const { axis, source, each } = first;
  return counted.length === 1 && typeof each === "number"
    ? { source: source.node, axis, each }
    : "mixed";
}
