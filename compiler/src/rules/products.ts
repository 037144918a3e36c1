import type { Graph, Node, ValueId } from "../ir/index.js";
import { constantOperand, hasOneReader, inputOf, madeBy, scalarOf } from "./pattern.js";

/** A value as coefficient × the product of factors. */
export interface Product {
  readonly coefficient: number;
  readonly factors: readonly ValueId[];
  /** How many nodes it took. */
  readonly nodes: number;
}

/**
 * Takes Mul, and Div by scalars, apart, in whatever order they were written: ½x · (1 + e), (x · (1 + e)) / 2 and
 * x · (½ · (1 + e)) all come out as ½ · {x, 1 + e}. Inner products are opened only where nothing else reads them.
 */
export function productOf(graph: Graph, value: ValueId | undefined): Product {
  return open(graph, value, true);
}

/** As `productOf`, of a node's own output, read by whomever. */
export function productAt(graph: Graph, node: Node): Product {
  return openNode(graph, node) ?? { coefficient: 1, factors: [], nodes: 0 };
}

function open(graph: Graph, value: ValueId | undefined, absorbed: boolean): Product {
  if (value === undefined) return { coefficient: 1, factors: [], nodes: 0 };
  const scalar = scalarOf(graph, value);
  if (scalar !== undefined) return { coefficient: scalar, factors: [], nodes: 0 };
  const node = madeBy(graph, value, "Mul", "Div");
  const opened =
    node !== undefined && (!absorbed || hasOneReader(graph, value))
      ? openNode(graph, node)
      : undefined;
  return opened ?? { coefficient: 1, factors: [value], nodes: 0 };
}

function openNode(graph: Graph, node: Node): Product | undefined {
  if (node.domain !== "") return undefined;
  if (node.op === "Mul") {
    const [a, b] = [open(graph, inputOf(node, 0), true), open(graph, inputOf(node, 1), true)];
    return {
      coefficient: a.coefficient * b.coefficient,
      factors: [...a.factors, ...b.factors],
      nodes: a.nodes + b.nodes + 1,
    };
  }
  const divisor = node.op === "Div" ? scalarOf(graph, inputOf(node, 1)) : undefined;
  if (divisor === undefined || divisor === 0) return undefined;
  const dividend = open(graph, inputOf(node, 0), true);
  return { ...dividend, coefficient: dividend.coefficient / divisor, nodes: dividend.nodes + 1 };
}

/** x when a value is x + constant, that constant being about `expected`. */
export function plus(
  graph: Graph,
  value: ValueId | undefined,
  expected: number,
): ValueId | undefined {
  const node =
    value !== undefined && hasOneReader(graph, value) ? madeBy(graph, value, "Add") : undefined;
  const operand = node === undefined ? undefined : constantOperand(graph, node);
  const scalar = operand === undefined ? undefined : scalarOf(graph, operand.id);
  return scalar !== undefined && Math.abs(scalar - expected) <= 1e-5 * Math.abs(expected)
    ? operand?.other
    : undefined;
}
