import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import { dtypeOf, inputOf, outputOf } from "../../rules/pattern.js";

/**
 * Nodes that compute in float32 what a Cast made of float16, up to the Cast back: whoever wrote them so, as around the squares
 * of a norm, knew that float16 does not do.
 */
export function floatIslands(graph: Graph): ReadonlySet<NodeId> {
  const islands = new Set<NodeId>();
  const floats = new Set<ValueId>();
  for (const body of graph.allBodies())
    for (const node of graph.order(body)) {
      const begins =
        node.op === "Cast" &&
        dtypeOf(graph, inputOf(node, 0)) === "float16" &&
        dtypeOf(graph, outputOf(node)) === "float32";
      if (!begins && !node.inputs.some((input) => input !== null && floats.has(input))) continue;
      islands.add(node.id);
      for (const output of node.outputs)
        if (output !== null && dtypeOf(graph, output) === "float32") floats.add(output);
    }
  return islands;
}
