import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import { encodeModel } from "../onnx/index.js";
import { attribute, type Graph, printGraph, Tensor } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { fp16Weights } from "./fp16-weights.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeWeights } from "./quantize-weights.js";
import {
  agreement,
  feedsOf,
  fusedOps,
  quantized,
  run,
} from "./quantization/engine-case.test.support.js";

/** An embedding, a convolution over it and a matrix, with a table of numbers that are no weights. */
function embedded(): Graph {
  return graphOf({ ids: ["int64", 1, 16] }, (input, b) => {
    const rows = b.add("Gather", [b.weights(10, 32), input("ids")]);
    const wide = b.add(
      "Conv",
      [
        b.add("Transpose", [rows], { perm: attribute.ints([0, 2, 1]) }),
        b.weights(32, 32, 3),
        b.weights(32),
      ],
      { pads: attribute.ints([1, 1]) },
    );
    const added = b.add("Add", [wide, b.weights(1, 32, 16)]);
    return { y: b.add("MatMul", [added, b.weights(16, 64)]) };
  });
}

const ids = {
  ids: {
    type: "int64",
    dims: [1, 16],
    data: BigInt64Array.from({ length: 16 }, (_, i) => BigInt((i * 7) % 10)),
  },
} as const;

describe("weights stored small", () => {
  const float = embedded();

  it.each([
    [quantizeWeights, {}, 38],
    [quantizeWeights, { weightRanges: "minmax" }, 38],
    [quantizeWeights, { decode: "dequantize" }, 38],
    [fp16Weights, {}, 65],
  ] as const)(
    "%o with %o agree with the float model on both engines",
    async (pass, options, atLeast) => {
      const graph = await quantized<unknown>(pass, float, options);
      const expected = await run(float, ids);
      expect(agreement(expected, await run(graph, ids))).toBeGreaterThan(atLeast);
      expect(agreement(expected, await run(graph, ids, wasm()))).toBeGreaterThan(atLeast);
    },
  );

  it("fold away when the engine loads them, apart from rows that are asked for", async () => {
    const kept = await fusedOps(float, "basic");
    expect(await fusedOps(await quantized(fp16Weights, float), "basic")).toEqual(kept);
    const int8 = await fusedOps(
      await quantized(quantizeWeights, float, { keepFloat: ["Gather"] }),
      "basic",
    );
    expect(int8).toEqual(kept);
    const rows = await fusedOps(await quantized(quantizeWeights, float), "basic");
    expect(rows.filter((op) => op === "Cast" || op === "Mul")).toHaveLength(3);
  });

  it("take a quarter and half of the bytes", async () => {
    const bytes = async (graph: Graph): Promise<number> => (await encodeModel(graph)).proto.length;
    const before = await bytes(float);
    expect(await bytes(await quantized(quantizeWeights, float))).toBeLessThan(before * 0.45);
    expect(await bytes(await quantized(fp16Weights, float))).toBeLessThan(before * 0.62);
  });

  it("leave alone what is no weight, small, or infinite", async () => {
    const graph = await quantized(quantizeWeights, float, { minBytes: 5000 });
    expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(1);
    const infinite = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.floats([1, Infinity, 0, 1e6], [2, 2])]),
    }));
    for (const pass of [quantizeWeights, fp16Weights]) {
      const left = await quantized<unknown>(pass, infinite, { minBytes: 0 });
      expect(left.changes).toBe(infinite.changes);
      expect(left.journal).toMatchObject([{ what: "left", op: "MatMul" }]);
    }
  });

  it("are found in a file as it is: of an old opset, in Constant nodes", async () => {
    const weight = Tensor.float32(
      [16, 32],
      new Float32Array(512).map((_, i) => Math.sin(i)),
    );
    const old = graphOf(
      { x: ["float32", 1, 16] },
      (input, b) => {
        const constant = b.add("Constant", [], { value: attribute.tensor(weight) });
        const product = b.add("MatMul", [input("x"), constant]);
        return { y: b.add("Unsqueeze", [product], { axes: attribute.ints([0]) }) };
      },
      11,
    );
    for (const pass of [quantizeWeights, fp16Weights, quantizeDynamic]) {
      const graph = await quantized<unknown>(pass, old);
      expect(graph.opset()).toBe(21);
      const feeds = feedsOf(old);
      expect(agreement(await run(old, feeds), await run(graph, feeds))).toBeGreaterThan(25);
      expect(opsOf(graph)).toContain("Cast");
    }
  });

  it("are found inside branches, and fold there too", async () => {
    const branches = graphOf({ c: ["bool"], x: ["float32", 1, 32] }, (input, b) => {
      const branch = (name: string, phase: number) => {
        const values = new Float32Array(1024).map((_, i) => Math.sin(i * phase));
        const body = b.editor.addBody(name);
        const weight = b.editor.constant("w", Tensor.float32([32, 32], values), body);
        b.editor.addOutput(b.editor.add1("MatMul", [input("x"), weight], {}, { body }), body);
        return attribute.graph(body);
      };
      const both = { then_branch: branch("then", 1), else_branch: branch("else", 2) };
      return { y: b.add("If", [input("c")], both) };
    });
    const feeds = feedsOf(branches);
    for (const pass of [quantizeWeights, fp16Weights]) {
      const graph = await quantized<unknown>(pass, branches);
      expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(2);
      expect(await fusedOps(graph, "basic")).toEqual(["MatMul", "MatMul", "If"]);
      for (const taken of [0, 1]) {
        const given = {
          ...feeds,
          c: { type: "bool", dims: [], data: Uint8Array.of(taken) },
        } as const;
        expect(agreement(await run(branches, given), await run(graph, given))).toBeGreaterThan(35);
      }
    }
  });
});

it("prints as expected on a small network", async () => {
  const small = graphOf({ ids: ["int64", "T"] }, (input, b) => ({
    y: b.add("MatMul", [
      b.add("Gather", [b.floats([1, -2, 0.5, 4], [2, 2]), input("ids")]),
      b.floats([127, 0, -127, 254], [2, 2]),
    ]),
  }));
  expect(await printGraph(await quantized(quantizeWeights, small, { minBytes: 0 })))
    .toMatchInlineSnapshot(`
    "graph main opset 21 (ids: int64[T]) -> (y) {
      %1 = Gather(const int8[2, 2] [64, -127, 16, 127], ids) : int8[T, 2]
      %2 = Cast(%1) {to = 1} : float32[T, 2]
      %3 = Gather(const float16[2, 1] [0.01574707, 0.03149414], ids) : float16[T, 1]
      %4 = Cast(%3) {to = 1} : float32[T, 1]
      %5 = Mul(%2, %4) : float32[T, 2]
      %6 = Cast(const int8[2, 2] [127, 0, -127, 127]) {to = 1} : float32[2, 2]
      %7 = Mul(%6, const float32[1, 2] [1.0, 2.0]) : float32[2, 2]
      %8 = MatMul(%5, %7) : float32[T, 2]
      return %8
    }
    "
  `);
});
