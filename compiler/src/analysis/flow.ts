import { dependencies, type Graph, type Node, type ValueId } from "../ir/index.js";

/**
 * The main graph as ways from its inputs to its outputs. Vertices are numbers: its inputs come first, then its nodes in an
 * order of execution, and last the end, to which every output leads.
 */
export interface Flow {
  readonly end: number;
  readonly inputs: readonly ValueId[];
  readonly nodes: readonly Node[];
  /** The vertex that gives a value; undefined for constants. */
  vertexOf(value: ValueId): number | undefined;
  /** Undefined for inputs and the end. */
  nodeAt(vertex: number): Node | undefined;
  /** Vertices that read a vertex, ascending, each once. */
  readonly readers: readonly (readonly number[])[];
  /** Vertices that a vertex reads, each once. */
  readonly sources: readonly (readonly number[])[];
  /** Where all ways from a vertex to the end meet first: its immediate post-dominator. −1 where no way leads there. */
  readonly meeting: Int32Array;
}

/** Takes time in proportion to the graph, but for a logarithm. */
export function flowOf(graph: Graph): Flow {
  const { inputs, outputs } = graph.main;
  const nodes = graph.order();
  const end = inputs.length + nodes.length;
  const vertices = new Map<ValueId, number>(inputs.map((id, index) => [id, index]));
  for (const [index, node] of nodes.entries())
    for (const id of node.outputs) if (id !== null) vertices.set(id, inputs.length + index);
  const readers = Array.from({ length: end + 1 }, (): number[] => []);
  const sources = Array.from({ length: end + 1 }, (): number[] => []);
  const link = (value: ValueId, to: number): void => {
    const from = vertices.get(value);
    if (from === undefined || readers[from]?.at(-1) === to) return;
    readers[from]?.push(to);
    sources[to]?.push(from);
  };
  for (const [index, node] of nodes.entries())
    for (const id of dependencies(graph, node)) link(id, inputs.length + index);
  for (const id of outputs) link(id, end);
  return {
    end,
    inputs,
    nodes,
    vertexOf: (value) => vertices.get(value),
    nodeAt: (vertex) => nodes[vertex - inputs.length],
    readers,
    sources,
    meeting: meetings(readers, end),
  };
}

/**
 * Immediate post-dominators of an acyclic graph, from its end: where the ways from all readers of a vertex meet in the
 * tree of those that are known already. Each vertex of the tree also points to a far one, so that a meeting is found in
 * logarithmic time (Myers, An applicative random-access stack, 1983).
 */
function meetings(readers: readonly (readonly number[])[], end: number): Int32Array {
  const parent = new Int32Array(end + 1).fill(-1);
  const far = new Int32Array(end + 1);
  const depth = new Int32Array(end + 1);
  parent[end] = end;
  far[end] = end;
  const meet = (one: number, other: number): number => {
    let [a, b] = at(depth, one) > at(depth, other) ? [one, other] : [other, one];
    while (at(depth, a) > at(depth, b))
      a = at(depth, at(far, a)) >= at(depth, b) ? at(far, a) : at(parent, a);
    while (a !== b) {
      const steps = at(far, a) === at(far, b) ? parent : far;
      [a, b] = [at(steps, a), at(steps, b)];
    }
    return a;
  };
  for (let vertex = end - 1; vertex >= 0; vertex -= 1) {
    let met = -1;
    for (const reader of readers[vertex] ?? [])
      if (at(parent, reader) >= 0) met = met < 0 ? reader : meet(met, reader);
    if (met < 0) continue;
    parent[vertex] = met;
    depth[vertex] = at(depth, met) + 1;
    const further = at(far, met);
    const isEven =
      at(depth, met) - at(depth, further) === at(depth, further) - at(depth, at(far, further));
    far[vertex] = isEven ? at(far, further) : met;
  }
  return parent.subarray(0, end);
}

function at(array: Int32Array, vertex: number): number {
  return array[vertex] as number;
}
