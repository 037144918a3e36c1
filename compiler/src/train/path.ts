import { dependencies, type Graph, type Node, type NodeId, type ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** The nodes through which gradients go, in an order of execution, and the values that they are of. */
export interface Path {
  readonly nodes: readonly Node[];
  /** What varies with a wanted value: of what does not, no gradient is computed. */
  readonly varies: ReadonlySet<ValueId>;
}

/**
 * Forwards from the wanted values to all that varies with them, then backwards from the loss. Integers do not vary, but
 * for those that floats are quantized to.
 * @param straightThrough nodes that round, through which gradients pass all the same
 */
export function findPath(
  graph: Graph,
  loss: ValueId,
  wanted: Iterable<ValueId>,
  straightThrough: ReadonlySet<NodeId>,
): Path {
  const order = graph.order();
  const varies = new Set(wanted);
  for (const node of order) {
    if (!dependencies(graph, node).some((id) => varies.has(id))) continue;
    if (!passes(node, straightThrough)) continue;
    for (const output of node.outputs)
      if (output !== null && isContinuous(graph, node, output)) varies.add(output);
  }
  const needed = new Set([loss]);
  const nodes: Node[] = [];
  for (const node of [...order].reverse()) {
    if (!node.outputs.some((id) => id !== null && needed.has(id) && varies.has(id))) continue;
    const inputs = dependencies(graph, node).filter((id) => varies.has(id));
    if (inputs.length === 0) continue;
    nodes.push(node);
    for (const id of inputs) needed.add(id);
  }
  return { nodes: nodes.reverse(), varies };
}

function passes(node: Node, straightThrough: ReadonlySet<NodeId>): boolean {
  const gradient = operatorOf(node)?.gradient;
  return gradient === "straight-through" ? straightThrough.has(node.id) : gradient !== "none";
}

function isContinuous(graph: Graph, node: Node, output: ValueId): boolean {
  const { type } = graph.value(output);
  if (type.kind !== "tensor" || type.dtype === undefined) return true;
  return (
    /^(b?float|float)/.test(type.dtype) ||
    operatorOf(node)?.traits.quantization?.gives === "integers"
  );
}
