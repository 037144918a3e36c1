import { isWeightedOp } from "../../analysis/weighted-node.js";
import type { Graph } from "../../ir/index.js";
import { inputOf } from "../../rules/pattern.js";

/** Does a layer multiply with weights that a Cast makes of constants, as where they are stored in float16? */
export function holdsCastWeights(graph: Graph): boolean {
  for (const node of graph.allNodes()) {
    if (!isWeightedOp(node)) continue;
    for (const input of node.inputs) {
      const maker = input === null ? undefined : graph.producer(input);
      const stored = maker?.op === "Cast" ? inputOf(maker, 0) : undefined;
      if (stored !== undefined && graph.constant(stored) !== undefined) return true;
    }
  }
  return false;
}
