import type { Graph, Node } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** Nodes of which two runs give other numbers, those of inner bodies too. Dropout does nothing but where it trains. */
export function randomNodes(graph: Graph): readonly Node[] {
  return [...graph.allNodes()].filter((node) => {
    const rests = node.op === "Dropout" && (node.inputs[2] ?? null) === null;
    return operatorOf(node)?.schema.deterministic === false && !rests;
  });
}

export function drawsNumbers(graph: Graph): boolean {
  return randomNodes(graph).length > 0;
}
