import { type Graph, normalOpset } from "../ir/index.js";
import { keyOf } from "../ops/index.js";
import { computeInFloat32 } from "./float32/in-float32.js";
import { fusedOperators, sayAttention } from "./fused-operators/say-fused.js";
import { normalizeGraph } from "./normalize.js";
import { simplifyGraph } from "./simplify.js";

/**
 * Passes that change what a model computes are written for the normal form without onnxruntime's attention: a graph that
 * is not so is brought there first.
 */
export async function bringToNormalForm(graph: Graph): Promise<void> {
  if (graph.opset() !== normalOpset || holdsOtherForms(graph)) normalizeGraph(graph);
  const before = graph.changes;
  sayAttention(graph);
  if (graph.changes !== before) await simplifyGraph(graph, {});
}

/**
 * As `bringToNormalForm`, with all in float32 that is float16 or float64: for passes that round weights, learn them or compile them, and
 * know but one kind of floats.
 */
export async function bringToFloat32(graph: Graph): Promise<void> {
  await bringToNormalForm(graph);
  const before = graph.changes;
  await computeInFloat32(graph);
  if (graph.changes !== before) await simplifyGraph(graph, {});
}

function holdsOtherForms(graph: Graph): boolean {
  for (const node of graph.allNodes())
    if (keyOf(node) === "Constant" || fusedOperators.has(keyOf(node))) return true;
  return false;
}
