import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { dtypeOf, inputOf, outputOf, scalarOf } from "../../rules/pattern.js";

/**
 * Nodes from squares that are summed up to what is divided by their root: norms written out, distances, energies. The
 * square of 256 is infinite in float16, and that of 2⁻¹³ is zero, where the norm itself is an ordinary number.
 */
export function summedSquares(graph: Graph): ReadonlySet<NodeId> {
  const nodes = new Set<NodeId>();
  for (const body of graph.allBodies()) {
    /** Of squares alone, and of what they are the squares. */
    const squared = new Map<ValueId, ValueId>();
    for (const node of graph.order(body)) {
      const of = squareBehind(graph, node) ?? goesOn(graph, node, squared);
      if (of !== undefined) {
        nodes.add(node.id);
        for (const output of node.outputs)
          if (output !== null && dtypeOf(graph, output) === "float32") squared.set(output, of);
      } else if (divides(node, squared)) nodes.add(node.id);
    }
  }
  return nodes;
}

const sums: ReadonlySet<string> = new Set(["ReduceMean", "ReduceSum", "GlobalAveragePool"]);
const squaring: ReadonlySet<string> = new Set(["ReduceL2", "ReduceSumSquare"]);

/** What stays of the order of a square, or of its root. */
const following: ReadonlySet<string> = new Set(
  [
    "ReduceMean ReduceSum GlobalAveragePool Add Sub Mul Div Pow Sqrt Reciprocal Max Min Clip",
    "Expand Identity Reshape Squeeze Transpose Unsqueeze",
  ].flatMap((names) => names.split(" ")),
);

/** What a node squares for a sum; undefined where it does not. */
function squareBehind(graph: Graph, node: Node): ValueId | undefined {
  const of = inputOf(node, 0);
  const output = outputOf(node);
  if (of === undefined || output === undefined || dtypeOf(graph, output) !== "float32")
    return undefined;
  if (squaring.has(node.op)) return of;
  const isSquare =
    (node.op === "Mul" && inputOf(node, 1) === of) ||
    (node.op === "Pow" && scalarOf(graph, inputOf(node, 1)) === 2);
  if (!isSquare) return undefined;
  for (const use of graph.value(output).uses)
    if (use.kind === "node" && sums.has(graph.node(use.node).op)) return of;
  return undefined;
}

/** From squares and constants alone. */
function goesOn(
  graph: Graph,
  { op, inputs }: Node,
  squared: ReadonlyMap<ValueId, ValueId>,
): ValueId | undefined {
  if (!following.has(op)) return undefined;
  const given = inputs.filter((input) => input !== null);
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
