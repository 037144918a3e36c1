import { expect } from "vitest";
import type { Graph, NodeId } from "../ir/index.js";
import { compare } from "../wasm/run-model.test.support.js";
import { simplifyGraph } from "./simplify.js";

/** How far modules are from onnxruntime where a graph is compiled as it is said, nothing of which stays. */
export async function differenceOnceSaid(
  graph: Graph,
  say: (graph: Graph) => ReadonlyMap<NodeId, string>,
): Promise<number> {
  const compiled = graph.fork();
  expect([...say(compiled).values()]).toEqual([]);
  await simplifyGraph(compiled, {});
  return compare(graph, { compiled, poisoned: true });
}
