import type { Graph } from "../../../ir/index.js";

/** The values that are rounded, by the name each had. */
export function roundedIn(graph: Graph): readonly string[] {
  return [...graph.allNodes()]
    .filter(({ op }) => op === "QuantizeLinear")
    .map(({ outputs: [id] }) => (id ? graph.value(id).name.replace(/_quantized$/, "") : ""))
    .sort();
}
