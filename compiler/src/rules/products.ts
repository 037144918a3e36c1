import type { Graph, Node, ValueId } from "../ir/index.js";
import { constantOperand, hasOneReader, inputOf, madeBy, scalarOf } from "./pattern.js";

/** A value as coefficient × the product of factors. */
export interface Product {
  readonly coefficient: number;
  readonly factors: readonly ValueId[];
}

/** Beyond so many nodes no activation is written; what is below them stays one factor. */
const nodeLimit = 6;

/**
 * Takes Mul, Neg, and Div by scalars, apart, in whatever order they were written: ½x · (1 + e), (x · (1 + e)) / 2 and
 * x · (½ · (1 + e)) all come out as ½ · {x, 1 + e}. Inner products are opened only where nothing else reads them.
 */
export function productOf(graph: Graph, value: ValueId | undefined): Product {
  return open(graph, value, { nodes: nodeLimit });
}

/** As `productOf`, of a node's own output, read by whomever. */
export function productAt(graph: Graph, node: Node): Product {
  return openNode(graph, node, { nodes: nodeLimit }) ?? { coefficient: 1, factors: [] };
}

/** How many nodes may still be opened. */
interface Budget {
  nodes: number;
}

function open(graph: Graph, value: ValueId | undefined, budget: Budget): Product {
  if (value === undefined) return { coefficient: 1, factors: [] };
  const scalar = scalarOf(graph, value);
  if (scalar !== undefined) return { coefficient: scalar, factors: [] };
  const node = hasOneReader(graph, value) ? madeBy(graph, value, "Mul", "Div", "Neg") : undefined;
  const opened = node === undefined ? undefined : openNode(graph, node, budget);
  return opened ?? { coefficient: 1, factors: [value] };
}

function openNode(graph: Graph, node: Node, budget: Budget): Product | undefined {
  if (node.domain !== "" || budget.nodes === 0) return undefined;
  budget.nodes -= 1;
  if (node.op === "Mul") {
    const a = open(graph, inputOf(node, 0), budget);
    const b = open(graph, inputOf(node, 1), budget);
    return {
      coefficient: a.coefficient * b.coefficient,
      factors: [...a.factors, ...b.factors],
    };
  }
  if (node.op === "Neg") {
    const { coefficient, factors } = open(graph, inputOf(node, 0), budget);
    return { coefficient: -coefficient, factors };
  }
  const divisor = node.op === "Div" ? scalarOf(graph, inputOf(node, 1)) : undefined;
  if (divisor === undefined || divisor === 0) return undefined;
  const dividend = open(graph, inputOf(node, 0), budget);
  return { ...dividend, coefficient: dividend.coefficient / divisor };
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
