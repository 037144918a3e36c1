import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import { isOfType } from "./of-type.js";

/**
 * Nodes that compute in float32 what a Cast made of float16, up to the Cast back: whoever wrote them so, as around the squares
 * of a norm, knew that float16 does not do.
 */
export function floatIslands(graph: Graph): ReadonlySet<NodeId> {
  const islands = new Set<NodeId>();
  const floats = new Set<ValueId>();
  for (const body of graph.allBodies())
    for (const { id, op, inputs, outputs } of graph.order(body)) {
      const begins =
        op === "Cast" &&
        isOfType(graph, inputs[0], ["float16"]) &&
        isOfType(graph, outputs[0], ["float32"]);
      if (!begins && !inputs.some((input) => input !== null && floats.has(input))) continue;
      islands.add(id);
      for (const output of outputs)
        if (output !== null && isOfType(graph, output, ["float32"])) floats.add(output);
    }
  return islands;
}
