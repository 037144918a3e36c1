import {
  bodiesOf,
  type Body,
  dim,
  type Dim,
  type Graph,
  isStatic,
  type Node,
  type ValueId,
} from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";

/**
 * The sizes of a value that a node reads at an input, or makes where `input` is null; null where they are not all
 * numbers. What is to be counted of a model that is not there yet, or at sizes that it leaves free, says them itself.
 */
export type SizesOf = (id: ValueId, node: Node, input: number | null) => readonly number[] | null;

/**
 * Multiply-accumulates of one run: those of convolutions, matrix products and recurrent layers; what is done once per
 * element is not counted. A free batch (the first axis of an input) counts as one. Null where another shape that decides
 * is free, or a loop's length unknown.
 */
export function countMacs(
  graph: Graph,
  body: Body = graph.main,
  sizesOf: SizesOf = staticSizes(graph),
): number | null {
  return sumOfBody(graph, body, (node) => macsOfOperator(graph, node, sizesOf));
}

/** Multiply-accumulates of one node; 0 for operators that have none. */
export function nodeMacs(graph: Graph, node: Node): number | null {
  const sizesOf = staticSizes(graph);
  return nodeSum(graph, node, (one) => macsOfOperator(graph, one, sizesOf));
}

/** The sum over a body of what is counted at each node; of an If the dearer branch. */
export function sumOfBody(
  graph: Graph,
  body: Body,
  count: (node: Node) => number | null,
): number | null {
  let total = 0;
  for (const id of body.nodes) {
    const macs = nodeSum(graph, graph.node(id), count);
    if (macs === null) return null;
    total += macs;
  }
  return total;
}

function nodeSum(graph: Graph, node: Node, count: (node: Node) => number | null): number | null {
  const bodies = operatorOf(node)?.traits.bodies;
  switch (bodies) {
    case "branches":
      // Only one branch runs: the dearer one.
      return bodiesOf(node).reduce<number | null>(
        (most, branch) => larger(most, sumOfBody(graph, branch, count)),
        0,
      );
    case "loop":
      return bodiesOf(node).every((inner) => sumOfBody(graph, inner, count) === 0) ? 0 : null;
    case undefined:
      return count(node);
    default:
      return bodies satisfies never;
  }
}

/** As `nodeMacs`, of a node without bodies. */
export function macsOfOperator(graph: Graph, node: Node, sizesOf: SizesOf): number | null {
  const macs = operatorOf(node)?.traits.macs;
  if (macs === undefined) return 0;
  const output = node.outputs.find((id) => id !== null);
  return macs({
    input(index) {
      const id = node.inputs[index];
      return id === null || id === undefined ? null : sizesOf(id, node, index);
    },
    output: output === null || output === undefined ? null : sizesOf(output, node, null),
    attributes: attributeReader(node.attributes),
  });
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

function staticSizes(graph: Graph): SizesOf {
  let batches: ReadonlyMap<string, Dim> | undefined;
  return (id) => {
    const { type } = graph.value(id);
    const shape: readonly Dim[] | undefined = type.kind === "tensor" ? type.shape : undefined;
    if (shape === undefined || isStatic(shape)) return shape ?? null;
    batches ??= batchOfOne(graph);
    const bound = batches;
    const sizes = shape.map((size) => dim.substitute(size, bound));
    return isStatic(sizes) ? sizes : null;
  };
}

/** One for each symbol that stands first in an input's shape. */
export function batchOfOne(graph: Graph): ReadonlyMap<string, Dim> {
  const batches = new Map<string, Dim>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    const first = type.kind === "tensor" ? type.shape?.[0] : undefined;
    if (first !== undefined) for (const name of dim.symbolsOf(first)) batches.set(name, 1);
  }
  return batches;
}
