import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  build,
  encodeModel,
  type Graph,
  inferNode,
  newHeader,
  parseGraph,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOutput } from "../terminal/output.js";
import { type OpenedModel, openModelSource } from "./opened-model.js";
import { applySteps, runSteps } from "./run-steps.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-steps-"));
});
afterAll(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();
const say = { ...createOutput({ quiet: true }), result: () => {} };

const unary = (op: string): Graph =>
  parseGraph(
    `graph main opset 21 (x: float32[2]) -> (y) {\n  %1 = ${op}(x) : float32[2]\n  return %1\n}\n`,
  );

/** A model that steps have made another one of. */
async function turned(from: Graph, to: Graph): Promise<OpenedModel> {
  const { proto } = await encodeModel(from);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  return { ...model, graph: to };
}

it("writes nothing that the engine refuses where it takes what was given", async () => {
  const model = await turned(unary("Relu"), unary("Unheard"));
  const output = join(folder, "refused.onnx");
  const request = { model, steps: [], output, suffix: "", say, signal };
  await expect(runSteps({ ...request, check: true })).rejects.toMatchObject({
    code: "PASS_FAILED",
  });
  expect(await readdir(folder)).toEqual([]);
  await runSteps({ ...request, check: false });
  expect(await readdir(folder)).toEqual(["refused.onnx"]);
});

it("says of a Dropout that was exported in training mode that it stays, and what to do", async () => {
  const graph = build(newHeader(21), inferNode, (editor) => {
    const x = editor.addInput("x", tensorType("float32", [2]));
    const ratio = editor.constant("ratio", Tensor.float32([], [0.5]));
    const training = editor.constant("on", Tensor.of("bool", [], Uint8Array.of(1)));
    editor.addOutput(editor.add1("Dropout", [x, ratio, training]));
  });
  const notes: string[] = [];
  const telling = { ...say, note: (text: string) => void notes.push(text) };
  const model = await turned(graph, graph);
  await applySteps({ model, steps: [{ use: "simplify" }], say: telling, signal });
  expect([...graph.allNodes()].map(({ op }) => op)).toEqual(["Dropout"]);
  expect(notes).toEqual([
    expect.stringMatching(/Dropout: .*random.*export the model for inference/),
  ]);
});

it("writes the opset that the engine loads the model in, and any that it is asked for", async () => {
  const moved = parseGraph(
    "graph main opset 21 (x: int8[1, 2]) -> (y) {\n" +
      "  %1 = DequantizeLinear(x, const float32[] 0.5, const int8[] 0) : float32[1, 2]\n" +
      "  %2 = Transpose(%1) {perm = [1, 0]} : float32[2, 1]\n" +
      "  %3 = Relu(%2) : float32[2, 1]\n  return %3\n}\n",
  );
  const request = { model: await turned(moved, moved), suffix: "", check: true, signal };
  const written: unknown[] = [];
  const telling = { ...say, result: (_: string, facts: unknown) => void written.push(facts) };
  const output = join(folder, "moved.onnx");
  await runSteps({ ...request, output, steps: [], say: telling });
  expect(written).toMatchObject([{ after: { opset: 20 }, check: { status: "ran" } }]);
  const asked = { use: "lower-opset", with: { opset: 21 } };
  await runSteps({ ...request, output, steps: [asked], check: false, say: telling });
  expect(written[1]).toMatchObject({ after: { opset: 21 } });
});
