import { byteSource, isPareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { backendTests } from "../../../../fixtures/scripts/backend-tests.mjs";
import type { Graph } from "../../ir/index.js";
import { decodeModel } from "../../onnx/index.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { inferAll, inferNode } from "../shape/infer.js";
import { unmetDemand } from "./demands.js";

/** Undefined where the model has no words of opset 21. */
async function normalized(model: Uint8Array): Promise<Graph | undefined> {
  const graph = await decodeModel({ proto: byteSource(model) }, { infer: inferNode });
  if (!graph.header.opsets.has("")) return undefined;
  try {
    normalizeGraph(graph);
  } catch (error) {
    if (isPareError(error) && error.code === "UNSUPPORTED_OP") return undefined;
    throw error;
  }
  inferAll(graph);
  return graph;
}

it("asks nothing that models do not meet by which ONNX tests its operators", async () => {
  const unmet: string[] = [];
  let nodes = 0;
  for (const { name, model } of await backendTests()) {
    const graph = await normalized(model);
    for (const node of graph?.order() ?? []) {
      nodes += 1;
      const why = graph && unmetDemand(graph, node);
      if (why !== undefined) unmet.push(`${name}: ${node.op}: ${why}`);
    }
  }
  expect(unmet).toEqual([]);
  expect(nodes).toBeGreaterThan(1000);
});
