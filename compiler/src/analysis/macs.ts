import {
  bodiesOf,
  type Body,
  dim,
  type Dim,
  type Graph,
  isStatic,
  type Node,
} from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";

/**
 * Multiply-accumulates of one run: those of convolutions, matrix products and recurrent layers; what is done once per
 * element is not counted. A free batch (the first axis of an input) counts as one. Null where another shape that decides
 * is free, or a loop's length unknown.
 */
export function countMacs(graph: Graph, body: Body = graph.main): number | null {
  let total = 0;
  for (const id of body.nodes) {
    const macs = nodeMacs(graph, graph.node(id));
    if (macs === null) return null;
    total += macs;
  }
  return total;
}

/** Multiply-accumulates of one node; 0 for operators that have none. */
export function nodeMacs(graph: Graph, node: Node): number | null {
  const { bodies, macs } = operatorOf(node)?.traits ?? {};
  switch (bodies) {
    case "branches":
      // Only one branch runs: the dearer one.
      return bodiesOf(node).reduce<number | null>(
        (most, branch) => larger(most, countMacs(graph, branch)),
        0,
      );
    case "loop":
      return bodiesOf(node).every((inner) => countMacs(graph, inner) === 0) ? 0 : null;
    case undefined:
      break;
    default:
      return bodies satisfies never;
  }
  if (macs === undefined) return 0;
  return macs({
    input: (index) => staticShape(graph, node.inputs[index]),
    output: staticShape(
      graph,
      node.outputs.find((id) => id !== null),
    ),
    attributes: attributeReader(node.attributes),
  });
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

function staticShape(
  graph: Graph,
  id: Node["inputs"][number] | undefined,
): readonly number[] | null {
  if (id === null || id === undefined) return null;
  const { type } = graph.value(id);
  const shape: readonly Dim[] | undefined = type.kind === "tensor" ? type.shape : undefined;
  const sizes = shape?.map((size) => dim.substitute(size, batchOfOne(graph)));
  return sizes !== undefined && isStatic(sizes) ? sizes : null;
}

function batchOfOne(graph: Graph): ReadonlyMap<string, Dim> {
  const batches = new Map<string, Dim>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    const first = type.kind === "tensor" ? type.shape?.[0] : undefined;
    if (first !== undefined) for (const name of dim.symbolsOf(first)) batches.set(name, 1);
  }
  return batches;
}
