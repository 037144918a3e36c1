import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { expect, it } from "vitest";
import { byteSource } from "@pare/runtime/format";
import { inferNode } from "../ops/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { floatsOf, samplesOf, withGradients } from "./gradient-check.test.support.js";
import { lastToWrite } from "./execution-order.js";

/** Three products and slopes between them, and their gradients. */
function deep() {
  const shapes = { "0:0": ["float32", 2, 3], "0:1": ["float32", 3, 3] } as const;
  const graph = graphOf({ ...shapes, "0:2": ["float32", 3, 3] }, (input, { add }) => {
    const first = add("Tanh", [add("MatMul", [input("0:0"), input("0:1")])]);
    return { "0=0": add("Tanh", [add("MatMul", [first, input("0:2")])]) };
  });
  withGradients(graph, "cpu");
  return graph;
}

it("has what nobody reads come last, the first that can be had at the very end", async () => {
  const graph = deep();
  const last = lastToWrite(graph);
  const { proto } = await encodeModel(graph, { last });
  const source = { proto: byteSource(proto), external: new Map() };
  const written = await decodeModel(source, { infer: inferNode });
  const made = [...written.allNodes()].flatMap(({ outputs }) =>
    outputs.map((id) => (id === null ? "" : written.value(id).name)),
  );
  const outputs = new Set(written.main.outputs.map((id) => written.value(id).name));
  expect(made.slice(-last.length).filter((name) => outputs.has(name))).toEqual([
    "0:0.gradient",
    "0:1.gradient",
    "0:2.gradient",
  ]);
});

it("changes no number", async () => {
  const graph = deep();
  const run = async (last: ReturnType<typeof lastToWrite>) => {
    const { proto } = await encodeModel(graph, { last });
    const session = await cpu().load(onnxArtifact(proto));
    const outputs = await session.run(samplesOf(graph, []));
    await session.dispose();
    return Object.entries(outputs).map(([name, tensor]) => [name, floatsOf(tensor)]);
  };
  expect(await run(lastToWrite(graph))).toEqual(await run([]));
});
