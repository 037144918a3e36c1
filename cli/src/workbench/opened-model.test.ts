import {
  build,
  encodeModel,
  evaluateGraph,
  importModel,
  inferNode,
  type ModelSource,
  newHeader,
  parseGraph,
  Tensor,
  tensorType,
} from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { describeInterface, modelInputs } from "../platform/open-model.js";
import { openModelSource } from "./opened-model.js";

const onnxSource = (bytes: Uint8Array): ModelSource => ({
  name: "m.onnx",
  main: byteSource(bytes),
  beside: new Map(),
});

const relu = async (shape: string) =>
  encodeModel(
    parseGraph(
      `graph main opset 21 (x: float32[${shape}]) -> (y) {\n  %1 = Relu(x) : float32[${shape}]\n  return %1\n}\n`,
    ),
  );

/** The dims of the input in the file that an engine gets. */
async function measuredDims(declared: string, sizes: readonly number[]): Promise<unknown> {
  const { proto } = await relu(declared);
  const source = onnxSource(proto);
  const model = await openModelSource("m.onnx", source, {
    shapes: { x: sizes },
    dims: {},
    constants: {},
  });
  expect(model.inputs[0]?.dims).toEqual(sizes);
  const { bytes } = await model.read();
  const graph = await importModel(onnxSource(bytes));
  return modelInputs(graph)[0]?.dims;
}

describe("a shape that is asked for", () => {
  it("leaves free dims of the measured file free", async () => {
    expect(await measuredDims("N, 3", [7, 3])).toEqual(["N", 3]);
  });

  it("replaces a number that the file declares: engines refuse feeds of another size", async () => {
    expect(await measuredDims("10, 3", [1, 3])).toEqual([1, 3]);
  });
});

describe("what a model was compiled with", () => {
  const asked = { shapes: { x: [2, 3], state: [1] }, dims: { N: 2 }, constants: { sr: 16000 } };
  const open = async (unfitting: "refuse" | "skip") => {
    const { proto } = await relu("2, 3");
    const source = onnxSource(proto);
    return openModelSource("m.onnx", source, asked, undefined, unfitting);
  };

  it("is in a candidate already, which has no such inputs and dims any more", async () => {
    expect((await open("skip")).inputs).toMatchObject([{ name: "x", dims: [2, 3] }]);
  });

  it("is refused of any other model", async () => {
    await expect(open("refuse")).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});

it("fixes an input that has a default, in a candidate too", async () => {
  const withDefault = build(newHeader(21), inferNode, (editor) => {
    const x = editor.addInput("x", tensorType("float32", [2]));
    const threshold = editor.addInput("threshold", tensorType("float32", [1]));
    editor.setDefault(threshold, Tensor.of("float32", [1], Float32Array.of(0.5)));
    editor.addOutput(editor.add1("Mul", [x, threshold]));
  });
  const source = onnxSource((await encodeModel(withDefault)).proto);
  const asked = { shapes: {}, dims: {}, constants: { threshold: [4] } };
  const { graph, read } = await openModelSource("m.onnx", source, asked, undefined, "skip");
  expect(graph.main.inputs.map((id) => graph.value(id).name)).toEqual(["x"]);
  const engineGets = await importModel(onnxSource((await read()).bytes));
  const x = { type: "float32", dims: [2], data: Float32Array.of(1, 2) } as const;
  const [y] = Object.values(await evaluateGraph(engineGets, { x }));
  expect(y?.data).toEqual(Float32Array.of(4, 8));
});

it("takes a size also where another input is no tensor", async () => {
  const { proto } = await encodeModel(
    parseGraph(
      "graph main opset 21 (s: sequence(float32[2]), x: float32[N]) -> (y) {\n  %1 = Relu(x) : float32[N]\n  return %1\n}\n",
    ),
  );
  const asked = { shapes: {}, dims: { N: 4 }, constants: {} };
  const { graph } = await openModelSource("m.onnx", onnxSource(proto), asked);
  expect((await describeInterface(graph)).inputs).toMatchObject([{ name: "s" }, { dims: [4] }]);
});

it("is refused as something to run where it takes other things than tensors, but can be described", async () => {
  const graph = parseGraph(
    "graph main opset 21 (s: sequence(float32[2]), x: float32[*]) -> (y) {\n  %1 = ConcatFromSequence(s) {axis = 0} : float32[N]\n  return %1\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const source = onnxSource(proto);
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  expect(() => model.inputs).toThrow(/"s" is no tensor/);
  expect(await describeInterface(model.graph)).toEqual({
    inputs: [
      { name: "s", type: "sequence(float32[2])", dims: null },
      { name: "x", type: "float32[*]", dims: null },
    ],
    outputs: [{ name: "y", type: "float32", dims: ["N"] }],
  });
});

it("gives scores where a file makes maps of them, says so, and is written anew", async () => {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[N, 2]) -> (p) {\n  %1 = Softmax(x)\n  %2 = ai.onnx.ml::ZipMap(%1) {classlabels_int64s = [0, 1]}\n  return %2\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const model = await openModelSource("m.onnx", onnxSource(proto), {
    shapes: {},
    dims: {},
    constants: {},
  });
  expect(model.notes.join()).toContain("a column a class (0, 1)");
  expect(model.outputs.map(({ type, dims }) => [type, ...dims])).toEqual([["float32", "N", 2]]);
  expect((await model.read()).bytes).not.toEqual(proto);
});

it("says where two runs differ, and not of a Dropout that does nothing", async () => {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[2, 4]) -> (y) {\n  %1, %2 = Dropout(x)\n  %3 = RandomNormalLike(%1)\n  %4 = Add(%1, %3)\n  return %4\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const free = { shapes: {}, dims: {}, constants: {} };
  const model = await openModelSource("m.onnx", onnxSource(proto), free);
  expect(model.notes).toEqual([expect.stringContaining("random numbers (RandomNormalLike)")]);
  expect((await model.read()).bytes).toEqual(proto);
});

it("is refused where it is to be run and takes more than one file may, before its weights are read", async () => {
  const read = (): Promise<never> => Promise.reject(new Error("They are not to be read."));
  const weights = Tensor.lazy("float32", [25_000, 25_000], read);
  const graph = build(newHeader(21), inferNode, (editor) => {
    const input = editor.addInput("x", tensorType("float32", [1, 25_000]));
    editor.addOutput(editor.add1("MatMul", [input, editor.constant("w", weights)]));
  });
  const { proto } = await encodeModel(graph, { external: { location: "w" } });
  const source = {
    ...onnxSource(proto),
    beside: new Map([["w", { size: weights.byteLength, read }]]),
  };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  await expect(model.read()).rejects.toMatchObject({
    code: "MODEL_LIMIT",
    message: expect.stringContaining("takes 2 GB or more"),
    hint: expect.stringContaining("quantize"),
  });
});
