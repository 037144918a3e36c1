import { readFile } from "node:fs/promises";
import { byteSource, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import { countConstantBytes } from "../../../analysis/parameters.js";
import { storedWeights } from "../../../analysis/stored-weights.js";
import { edit, type Graph, Tensor, tensorType } from "../../../ir/index.js";
import { decodeModel } from "../../../onnx/index.js";
import { evaluateGraph, inferNode } from "../../../ops/index.js";
import { graphOf, opsOf } from "../../../rules/rule-case.test.support.js";
import { quantizeWeights } from "../../quantize-weights.js";
import { simplify } from "../../simplify.js";
import { feedsOf, quantized, run } from "../engine-case.test.support.js";

/** One operator that gives its weights back: a matrix by the identity, a table by all of its rows. */
function given(op: "MatMul" | "Gather" | "Conv", dims: readonly number[], rank = 1): Graph {
  const [rows = 1] = dims;
  const values = new Float32Array(dims.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(i * i));
  const ids = rank === 0 ? [] : rank === 1 ? [rows] : [1, rows];
  if (op === "Gather")
    return graphOf({ ids: ["int64", ...ids] }, (input, b) => ({
      y: b.add("Gather", [b.editor.constant("w", Tensor.float32(dims, values)), input("ids")]),
    }));
  const [, inputs = 1] = dims;
  const x: readonly number[] = op === "Conv" ? [inputs, inputs, 1] : [rows, rows];
  return graphOf({ x: ["float32", ...x] }, (input, b) => ({
    y: b.add(op, [input("x"), b.editor.constant("w", Tensor.float32(dims, values))]),
  }));
}

function identity(graph: Graph): Tensors {
  return Object.fromEntries(
    Object.entries(feedsOf(graph)).map(([name, { type, dims, data }]) => {
      const [size = 1] = dims;
      const made =
        type === "int64"
          ? BigInt64Array.from({ length: data.length }, (_, i) => BigInt(i))
          : new Float32Array(data.length).map((_, i) => (i % (size + 1) === 0 ? 1 : 0));
      return [name, { type, dims, data: made }];
    }),
  );
}

describe("weights decoded by an engine", () => {
  const shapes = [
    given("MatMul", [64, 48]),
    given("MatMul", [33, 7]),
    given("MatMul", [5, 3]),
    given("MatMul", [130, 1]),
    given("Conv", [5, 7, 1]),
    given("Conv", [3, 35, 1]),
    given("Gather", [9, 33]),
    given("Gather", [6, 64], 2),
    given("Gather", [3, 65], 2),
    given("Gather", [4, 9], 0),
  ];

  it("are those that DequantizeLinear gives, bit by bit, in any shape", async () => {
    for (const graph of shapes) {
      for (const options of [{ granularity: "block", blockSize: 16 }, { symmetric: false }, {}]) {
        for (const bits of [8, 4]) {
          const all = { ...options, bits, minBytes: 0 };
          const folded = await quantized(quantizeWeights, graph, all);
          expect(folded.changes).toBeGreaterThan(graph.changes);
          const feeds = identity(graph);
          // In 8 bits the scales of tables alone are float16 numbers, so that the two files differ by more than how.
          const dequantized =
            bits === 8
              ? folded
              : await quantized(quantizeWeights, graph, { ...all, decode: "dequantize" });
          const { y: expected } = await evaluateGraph(dequantized, feeds);
          for (const engine of [cpu(), wasm()]) {
            const { y } = await run(folded, feeds, engine);
            expect(y?.dims).toEqual(expected?.dims);
            expect(y?.data).toEqual(expected?.data);
          }
        }
      }
    }
  });

  it("are a whole table where nothing is known of the indices", async () => {
    const table = graphOf({ ids: ["int64", "T"] }, (input, b) => ({
      y: b.add("Gather", [b.weights(8, 64), input("ids")]),
    }));
    edit(
      table,
      "test",
      (editor) => {
        for (const id of table.main.inputs) editor.setType(id, tensorType("int64", undefined));
      },
      { interface: true },
    );
    const whole = await quantized(quantizeWeights, table, { bits: 4 });
    expect(opsOf(whole).filter((op) => op === "Gather")).toHaveLength(1);
    const rows = await quantized(quantizeWeights, table);
    expect(opsOf(rows).filter((op) => op === "Gather")).toHaveLength(2);
  });

  it("stay nodes when the file is simplified again, for a file must not grow", async () => {
    const [matrix] = shapes;
    if (matrix === undefined) return;
    const graph = await quantized(quantizeWeights, matrix, { bits: 4 });
    const again = await quantized<unknown>(simplify, graph);
    // The few scales are worth no node.
    expect(opsOf(again)).toEqual([
      "BitShift",
      "BitwiseAnd",
      "Reshape",
      "Cast",
      "Sub",
      "Mul",
      "MatMul",
    ]);
  });
});

describe("the share of float's bytes that 4 bits take", () => {
  const ways = [
    [{}, 0.14],
    [{ decode: "dequantize" }, 0.14],
    [{ granularity: "block" }, 0.17],
    [{ granularity: "block", decode: "dequantize" }, 0.17],
    [{ granularity: "block", symmetric: false }, 0.17],
  ] as const;

  it.each(["mnist-cnn", "ocr-recognition"])(
    "in %s is small, with scales and all that decoding needs",
    async (model) => {
      const path = new URL(`../../../../../fixtures/models/${model}.onnx`, import.meta.url);
      const proto = byteSource(new Uint8Array(await readFile(path)));
      const read = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
      const float = await quantized<unknown>(simplify, read);
      const weights = storedWeights(float, 1024).reduce(
        (sum, one) => sum + one.tensor.byteLength,
        0,
      );
      const rest = countConstantBytes(float) - weights;
      for (const [options, most] of ways) {
        // How ranges are chosen moves no byte.
        const all = { ...options, bits: 4, weightRanges: "minmax" };
        const graph = await quantized(quantizeWeights, float, all);
        const share = (countConstantBytes(graph) - rest) / weights;
        expect(share).toBeLessThanOrEqual(most);
        expect(share).toBeGreaterThan(0.125);
      }
    },
  );
});
