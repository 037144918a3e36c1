import type { Graph } from "../../ir/index.js";
import { normalizeGraph } from "../normalize.js";
import { normalOpset } from "../opset/raise.js";

/** Quantizing is written for the normal form: a graph that is not in it is brought there first. */
export function bringToNormalForm(graph: Graph): void {
  if (graph.opset() === normalOpset && !hasConstantNodes(graph)) return;
  normalizeGraph(graph);
}

function hasConstantNodes(graph: Graph): boolean {
  for (const node of graph.allNodes())
    if (node.op === "Constant" && node.domain === "") return true;
  return false;
}
