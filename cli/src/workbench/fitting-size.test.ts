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
