import { type Graph, parseGraph } from "@pare/compiler";
import { expect, it } from "vitest";
import { modelInputs } from "../platform/open-model.js";
import { fittingSize } from "./fitting-size.js";
import { guessedDims } from "./synthetic-samples.js";

const sizeOf = (graph: Graph): Promise<number> => fittingSize(graph, modelInputs(graph));

/** Windows of so many samples. */
const windowed = (input: string, width: number): Graph =>
  parseGraph(
    `graph main opset 21 (${input}) -> (y) {\n  %1 = AveragePool(x) {kernel_shape = [${width}], strides = [${width}]}\n  return %1\n}\n`,
  );

it("is the smallest that leaves nothing empty, from the usual size on", async () => {
  expect(await sizeOf(windowed("x: float32[N, 1, length]", 100))).toBe(128);
  expect(await sizeOf(windowed("x: float32[N, 1, length]", 128))).toBe(128);
  expect(await sizeOf(windowed("x: float32[N, 1, length]", 400))).toBe(512);
  expect(await sizeOf(windowed("x: float32[N, 1, length]", 5000))).toBe(8192);
});

it("is the usual size where none does, or where it would change nothing", async () => {
  expect(await sizeOf(windowed("x: float32[N, 1, length]", 10_000_000))).toBe(128);
  expect(await sizeOf(windowed("x: float32[N, 1, 64]", 400))).toBe(128);
});

it("is large enough for pads by reflection", async () => {
  const padded = (mode: string): Graph =>
    parseGraph(
      `graph main opset 21 (x: float32[1, length]) -> (y) {\n  %1 = Pad(x, const int64[4] [0, 128, 0, 200]) {mode = "${mode}"}\n  return %1\n}\n`,
    );
  expect(await sizeOf(padded("reflect"))).toBe(256);
  expect(await sizeOf(padded("constant"))).toBe(128);
});

it("is smaller where a model knows fewer positions", async () => {
  const learned = (positions: number): Graph =>
    parseGraph(
      `graph main opset 21 (x: float32[N, length, 4], known: float32[${positions}, 4]) -> (y) {\n  %1 = Add(x, known)\n  return %1\n}\n`,
    );
  expect(await sizeOf(learned(32))).toBe(32);
  expect(await sizeOf(learned(1))).toBe(128);
  expect(await sizeOf(learned(100))).toBe(1);
});

it("is smaller where positions are looked up that a model has not learned", async () => {
  const lookedUp = (positions: number): Graph =>
    parseGraph(
      `graph main opset 21 (x: float32[N, length], table: float32[${positions}, 4]) -> (y) {
  %1 = Shape(x) {start = 1, end = 2}
  %2 = Squeeze(%1)
  %3 = Range(const int64[] 0, %2, const int64[] 1)
  %4 = Gather(table, %3)
  return %4
}
`,
    );
  expect(await sizeOf(lookedUp(50))).toBe(32);
  expect(await sizeOf(lookedUp(128))).toBe(128);
});

it("takes what is free as keys and values are for no side of an image, and a sum for what it is of", () => {
  const dims = (...own: (string | number)[]) =>
    guessedDims({ name: "past_key_values.0.key", type: "float32", dims: own }, { t: 1 });
  expect(dims("batch", 4, "past", 64)).toEqual([1, 4, 128, 64]);
  expect(dims("batch", 3, "height", "width")).toEqual([1, 3, 224, 224]);
  expect(dims("batch", "height", "width", 3)).toEqual([1, 224, 224, 3]);
  expect(dims("batch", "past + 1")).toEqual([1, 129]);
  expect(dims("batch", "past+t")).toEqual([1, 129]);
  expect(dims("batch", "past + 100000000")).toEqual([1, 128]);
});

it("takes no axis for a batch whose name says that it is none", () => {
  const dims = (...names: string[]) => guessedDims({ name: "x", type: "float32", dims: names });
  expect(dims("num_nodes", "n")).toEqual([128, 128]);
  expect(dims("seqLength", "n")).toEqual([128, 128]);
  expect(dims("batch_of_tokens", "n")).toEqual([1, 128]);
  expect(dims("N", "n")).toEqual([1, 128]);
});

it("takes the second axis of a state for a batch, and what is called so", () => {
  const dims = (name: string, ...own: (string | number | null)[]) =>
    guessedDims({ name, type: "float32", dims: own });
  expect(dims("state", 2, null, 128)).toEqual([2, 1, 128]);
  expect(dims("decoder_h0", 1, null, 64)).toEqual([1, 1, 64]);
  expect(dims("onnx::LSTM_1", 4, null, 64)).toEqual([4, 1, 64]);
  expect(dims("c", 2, "batch_size", 64)).toEqual([2, 1, 64]);
  expect(dims("features", 1, null, 80)).toEqual([1, 128, 80]);
  expect(dims("pitch", 1, null, 1)).toEqual([1, 128, 1]);
  expect(dims("h", 1, null)).toEqual([1, 128]);
  expect(dims("state", 2, "frames", 80)).toEqual([2, 128, 80]);
});
