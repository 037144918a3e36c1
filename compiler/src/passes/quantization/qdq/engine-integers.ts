import type { WeightedNode } from "../../../analysis/weighted-node.js";
import type { Graph, Node, NodeId, ValueId } from "../../../ir/index.js";
import { movesExactly, operatorOf } from "../../../ops/index.js";
import { fusedTail } from "./removable.js";

/** The nodes that onnxruntime has a kernel on integers for, and whose results become integers again by way of such alone. */
export function engineIntegers(
  graph: Graph,
  weighted: ReadonlyMap<NodeId, WeightedNode>,
): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  /** Values that are read as integers. */
  const wanted = new Set<ValueId>([...weighted.values()].map(({ activation }) => activation));
  for (const node of [...graph.order()].reverse()) {
    const [output] = node.outputs;
    if (output === null || output === undefined || weighted.has(node.id)) continue;
    if (isOnIntegers(node)) {
      if (!wanted.has(output) && !wanted.has(fusedTail(graph, output))) continue;
      found.add(node.id);
      want(node.inputs);
    } else if (isMoved(node) && node.outputs.some((id) => id !== null && wanted.has(id)))
      want(node.inputs.slice(0, 1));
  }
  return found;

  function want(inputs: readonly (ValueId | null)[]): void {
    for (const id of inputs) if (id !== null) wanted.add(id);
  }
}

/** Where it stands between DequantizeLinear and QuantizeLinear, onnxruntime has a kernel for all three: QLinearAdd and the like. */
function isOnIntegers(node: Node): boolean {
  const own = operatorOf(node)?.traits.onIntegers;
  return own === "of-integers" || own === "by-engine";
}

function isMoved(node: Node): boolean {
  return movesExactly(operatorOf(node)?.traits.dataMovement);
}
