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
