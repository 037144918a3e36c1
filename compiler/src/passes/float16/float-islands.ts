import type { Dtype } from "@pare/runtime/format";
import type { Graph, NodeId, ValueId } from "../../ir/index.js";

/**
 * Nodes that compute in float32 what a Cast made of float16, up to the Cast back: whoever wrote them so, as around the squares
 * of a norm, knew that float16 does not do.
 */
export function floatIslands(graph: Graph): ReadonlySet<NodeId> {
  const islands = new Set<NodeId>();
  const floats = new Set<ValueId>();
  for (const body of graph.allBodies())
    for (const { id, op, inputs, outputs } of graph.order(body)) {
      const [from, to] = [dtypeOf(graph, inputs[0]), dtypeOf(graph, outputs[0])];
      const begins = op === "Cast" && from === "float16" && to === "float32";
      if (!begins && !inputs.some((input) => input !== null && floats.has(input))) continue;
      islands.add(id);
      for (const output of outputs)
        if (output !== null && dtypeOf(graph, output) === "float32") floats.add(output);
    }
  return islands;
}

function dtypeOf(graph: Graph, value: ValueId | null | undefined): Dtype | undefined {
  if (value === null || value === undefined) return undefined;
  const { type } = graph.value(value);
  return type.kind === "tensor" ? type.dtype : undefined;
}
