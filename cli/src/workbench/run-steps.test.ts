import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, type Graph, parseGraph } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOutput } from "../terminal/output.js";
import { type OpenedModel, openModelSource } from "./opened-model.js";
import { runSteps } from "./run-steps.js";

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
