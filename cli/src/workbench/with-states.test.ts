import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openData, type OpenData } from "../data/open-data.js";
import { openEngines } from "./engines.js";
import { openModelSource, type OpenedModel } from "./opened-model.js";
import { withStates } from "./with-states.js";

let folder = "";
let engines: Awaited<ReturnType<typeof openEngines>>;
let adder: OpenedModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-states-"));
  engines = await openEngines(["cpu"]);
  const graph = parseGraph(
    `graph main opset 21 (x: float32[1], state: float32[1]) -> (sum, pair) {
  %1 = Add(x, state) : float32[1]
  %2 = Concat(%1, %1) {axis = 0} : float32[2]
  return %1, %2
}
`,
  );
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  adder = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
});
afterAll(async () => {
  await engines.dispose();
  await rm(folder, { recursive: true });
});

const step = (x: number) => `{ feeds: { x: Float32Array.of(${x}) } }`;

async function open(state: string, sequences: readonly (readonly number[])[]): Promise<OpenData> {
  const path = join(folder, `${state.replaceAll(/\W/g, "")}.mjs`);
  const all = sequences.map((steps) => `{ steps: [${steps.map(step).join()}] }`);
  await writeFile(path, `export const state = ${state}; export const samples = [${all.join()}];`);
  return openData(path, { inputs: adder.inputs, seed: 0 });
}

it("has each step begin with the state that the model itself comes there with", async () => {
  const data = await open('{ sum: "state" }', [
    [1, 2, 3],
    [10, 20],
  ]);
  try {
    const looked = [4, 2, 0];
    const samples = await withStates(data.samples, looked, adder, engines.reference);
    const states = await Promise.all(
      looked.map(async (index) => (await samples.sample(index)).feeds["state"]?.data[0]),
    );
    expect(states).toEqual([10, 3, 0]);
    // They are runs of their own now.
    expect(samples.sequences).toBeUndefined();
  } finally {
    await data.dispose();
  }
});

it.each([
  ['{ other: "state" }', /the output "other", which the model does not have/],
  ['{ pair: "state" }', /"pair" gives does not fit the input "state"/],
])("refuses %s", async (state, message) => {
  const data = await open(state, [[1, 2]]);
  try {
    await expect(withStates(data.samples, [1], adder, engines.reference)).rejects.toMatchObject({
      code: "DATA_MODULE",
      message: expect.stringMatching(message),
    });
  } finally {
    await data.dispose();
  }
});
