import type { Graph, Node, ValueId } from "../../ir/index.js";
import { type Halo, type Layout, noHalo } from "../plan/view.js";
import { convolutionHalo } from "./convolution-halo.js";
import { dimsOf, NodeFacts } from "./node-facts.js";

/** What a value's layout should be like. */
export interface Wish {
  /** Lanes fill whole vectors. */
  readonly whole?: boolean;
  /** Nothing is written behind the last lane: the view is not padded. */
  readonly exact?: boolean;
}

/**
 * The layout of a value in memory of its own.
 * @param absorbed nodes whose work another one's kernel does as well: these read nothing
 */
export function layoutFor(
  graph: Graph,
  absorbed: ReadonlySet<Node>,
  id: ValueId,
  order: readonly number[],
  wish: Wish,
): Layout {
  const dims = dimsOf(graph, id);
  const halo = haloOf(graph, absorbed, id, dims);
  const inner = order.at(-1) ?? 0;
  const canPad = (halo[inner] ?? noHalo).every((size) => size === 0);
  const isExact = wish.exact === true || (dims[inner] ?? 1) === 1 || isMovedNext(graph, id);
  return { order, padded: canPad && (wish.whole === true || !isExact), halo };
}

/** Whoever reads it wants its elements without gaps. */
function isMovedNext(graph: Graph, id: ValueId): boolean {
  if (graph.isOutput(id)) return true;
  const readers = graph.consumers(id);
  return (
    readers.length === 1 && readers.every(({ op }) => /^(Reshape|Flatten|Transpose)$/.test(op))
  );
}

/** The zeros that convolutions want around it. */
function haloOf(
  graph: Graph,
  absorbed: ReadonlySet<Node>,
  id: ValueId,
  dims: readonly number[],
): readonly Halo[] {
  const halo: [number, number][] = dims.map(() => [0, 0]);
  for (const node of graph.consumers(id)) {
    if (node.op !== "Conv" || node.inputs[0] !== id || absorbed.has(node)) continue;
    convolutionHalo(new NodeFacts(graph, node)).forEach(([before, after], at) => {
      const own = halo[at + 2];
      if (own === undefined) return;
      own[0] = Math.max(own[0], before);
      own[1] = Math.max(own[1], after);
    });
  }
  return halo;
}
