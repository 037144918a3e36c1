import { byteSource, isPareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { backendTests } from "../../../../fixtures/scripts/backend-tests.mjs";
import { attribute, type Graph } from "../../ir/index.js";
import { decodeModel } from "../../onnx/index.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
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

it("asks that a node has the outputs of its operator, and no others", () => {
  const whyNot = (outputs: readonly (string | null)[]) => {
    const graph = graphOf({ x: ["float32", 3] }, (input, b) => ({
      y: b.editor.add("Clip", [input("x")], {}, { outputs })[0] ?? input("x"),
    }));
    return graph.order().map((node) => unmetDemand(graph, node));
  };
  expect(whyNot(["y"])).toEqual([undefined]);
  expect(whyNot(["y", "z"])).toEqual(["it gives 1 outputs, and has 2"]);
  expect(whyNot([null, "z"])).toEqual(["it gives 1 outputs, and has 2"]);
  expect(whyNot([null])).toEqual(["one of its outputs is left out"]);
});

it("asks that there is a scale for each block", () => {
  const whyNot = (dims: readonly number[], axis = 1) => {
    const graph = graphOf({ x: ["int8", 4, 40], scale: ["float32", ...dims] }, (input, b) => ({
      y: b.add("DequantizeLinear", [input("x"), input("scale")], {
        axis: attribute.int(axis),
        block_size: attribute.int(16),
      }),
    }));
    return graph.order().map((node) => unmetDemand(graph, node));
  };
  expect([whyNot([4, 3]), whyNot([4, 3], -1), whyNot([1, 40], 0)].flat()).toEqual(
    Array.from({ length: 3 }, () => undefined),
  );
  for (const dims of [[4, 2], [1, 3], [1, 1], [4], [1], []])
    expect(whyNot(dims)).toEqual(["its blocks do not fit its input"]);
});
