import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { dtypeOf, inputOf, outputOf, scalarOf } from "../../rules/pattern.js";
import { carries, isElementwise } from "./carries.js";

/**
 * Nodes from squares that are summed up to what is divided by their root, or where it is a logarithm: norms written out, distances,
 * spectra. The square of 256 is infinite in float16, and that of 2⁻¹³ is zero, where the root is an ordinary number.
 */
export function summedSquares(graph: Graph): ReadonlySet<NodeId> {
  const nodes = new Set<NodeId>();
  for (const body of graph.allBodies()) {
    /** Of squares alone, and of what they are the squares. */
    const squared = new Map<ValueId, ValueId>();
    for (const node of graph.order(body)) {
      const of = squareBehind(graph, node) ?? squaresAt(graph, node, squared);
      if (of !== undefined) nodes.add(node.id);
      else if (divides(node, squared)) nodes.add(node.id);
      if (of === undefined || !isOfTheirOrder(node)) continue;
      for (const output of node.outputs)
        if (output !== null && dtypeOf(graph, output) === "float32") squared.set(output, of);
    }
  }
  return nodes;
}

const sums: ReadonlySet<string> = new Set(["ReduceMean", "ReduceSum", "GlobalAveragePool"]);
const squaring: ReadonlySet<string> = new Set(["ReduceL2", "ReduceSumSquare"]);
/** What gives a square, its root or the inverse of one. */
const arithmetic: ReadonlySet<string> = new Set(
  "Add Sub Mul Div Pow Sqrt Reciprocal Max Min Clip Abs Neg".split(" "),
);

/** Is what a node makes of squares one again, or a root? A logarithm, or what an activation gives, is an ordinary number. */
function isOfTheirOrder(node: Node): boolean {
  return !isElementwise(node) || arithmetic.has(node.op);
}

/** What a node squares for a sum; undefined where it does not. */
function squareBehind(graph: Graph, node: Node): ValueId | undefined {
  const of = inputOf(node, 0);
  const output = outputOf(node);
  if (of === undefined || output === undefined || dtypeOf(graph, output) !== "float32")
    return undefined;
  if (squaring.has(node.op)) return of;
  if (!isSquare(graph, node)) return undefined;
  for (const use of graph.value(output).uses)
    if (use.kind === "node" && isSumOfSquares(graph, graph.node(use.node))) return of;
  return undefined;
}

function isSquare(graph: Graph, node: Node | undefined): boolean {
  const of = node && inputOf(node, 0);
  if (node === undefined || of === undefined) return false;
  if (node.op === "Mul") return inputOf(node, 1) === of;
  return node.op === "Pow" && scalarOf(graph, inputOf(node, 1)) === 2;
}

/** Along an axis, or of two, as of the parts of complex numbers. */
function isSumOfSquares(graph: Graph, { op, inputs }: Node): boolean {
  if (sums.has(op)) return true;
  return op === "Add" && inputs.every((input) => isSquare(graph, graph.producer(input)));
}

/** Which squares a node has, and constants besides; undefined where it has others, or does not what keeps to them. */
function squaresAt(
  graph: Graph,
  node: Node,
  squared: ReadonlyMap<ValueId, ValueId>,
): ValueId | undefined {
  if (!isElementwise(node) && !carries(node) && !sums.has(node.op) && node.op !== "MatMul")
    return undefined;
  const given = node.inputs.filter((input) => input !== null);
  const isKnown = (input: ValueId): boolean =>
    squared.has(input) || graph.constant(input) !== undefined || !isFloat(graph, input);
  if (!given.every(isKnown)) return undefined;
  return given.map((input) => squared.get(input)).find((of) => of !== undefined);
}

/** What was squared, divided by what came of that. */
function divides({ op, inputs }: Node, squared: ReadonlyMap<ValueId, ValueId>): boolean {
  if (op !== "Div" && op !== "Mul") return false;
  const [a, b] = inputs;
  if (a === null || b === null || a === undefined || b === undefined) return false;
  return squared.get(b) === a || (op === "Mul" && squared.get(a) === b);
}

function isFloat(graph: Graph, value: ValueId): boolean {
  return dtypeOf(graph, value) === "float32";
}
