import { describe, expect, it } from "vitest";
import { countParameters } from "../analysis/index.js";
import { attribute, type Graph, printGraph } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeStatic } from "./quantize-static.js";
import { quantizeWeights } from "./quantize-weights.js";
import {
  agreement,
  enginesFor,
  feedsOf,
  fusedOps,
  quantized,
  run,
} from "./quantization/engine-case.test.support.js";

/** Two projections of one activation, a Gemm with turned weights and bias, and a product of two activations. */
function attention(): Graph {
  return graphOf({ x: ["float32", "T", 8] }, (input, b) => {
    const query = b.add("MatMul", [input("x"), b.weights(8, 6)]);
    const other = b.floats(
      Array.from({ length: 48 }, (_, i) => Math.sin(i * 7)),
      [8, 6],
    );
    const key = b.add("MatMul", [input("x"), other]);
    const scores = b.add("MatMul", [query, b.add("Transpose", [key])]);
    const mixed = b.add("MatMul", [scores, input("x")]);
    return {
      y: b.add("Gemm", [mixed, b.weights(5, 8), b.weights(5)], { transB: attribute.int(1) }),
    };
  });
}

describe("quantize-dynamic", () => {
  const float = attention();

  it.each([{}, { reduceRange: false }, { granularity: "tensor" }, { weightRanges: "mse" }])(
    "with %o agrees with the float model on every engine that it is for",
    async (options) => {
      const graph = await quantized(quantizeDynamic, float, options);
      for (const T of [1, 3, 20]) {
        const feeds = feedsOf(float, 1, { T });
        const expected = await run(float, feeds);
        for (const engine of await enginesFor(options))
          expect(agreement(expected, await run(graph, feeds, engine))).toBeGreaterThan(25);
      }
    },
  );

  it("rounds a shared activation once, and is fused by the CPU engine", async () => {
    const graph = await quantized(quantizeDynamic, float);
    expect(opsOf(graph).filter((op) => op === "DynamicQuantizeLinear")).toHaveLength(2);
    const fused = await fusedOps(graph);

    expect(
      fused.filter((op) => /DynamicQuantizeMatMul|MatMulIntegerToFloat/.test(op)),
    ).toHaveLength(3);
    expect(fused.filter((op) => op === "MatMulInteger")).toHaveLength(0);
  });

  it("multiplies what another product gave, and leaves nothing of either", async () => {
    const chain = graphOf({ x: ["float32", "T", 8] }, (input, b) => ({
      y: b.add("MatMul", [b.add("MatMul", [input("x"), b.weights(8, 3)]), b.weights(3, 6)]),
    }));
    const graph = await quantized(quantizeDynamic, chain);
    expect(opsOf(graph)).not.toContain("MatMul");
    const feeds = feedsOf(chain, 1, { T: 5 });
    expect(agreement(await run(chain, feeds), await run(graph, feeds))).toBeGreaterThan(25);
  });

  it("leaves as many parameters as there were: scales and zero points are none", async () => {
    for (const granularity of ["tensor", "channel"]) {
      const graph = await quantized(quantizeDynamic, float, { granularity });
      expect(countParameters(graph)).toBe(countParameters(float));
    }
  });

  it("leaves products of two activations, saying so", async () => {
    const graph = await quantized(quantizeDynamic, float);
    expect(
      graph.journal.filter((entry) => entry.what === "left").map((entry) => entry.reason),
    ).toEqual(["it has no constant weight", "it has no constant weight"]);
  });

  it("leaves weights that are not all finite, and a C of one number per row", async () => {
    const other = graphOf({ x: ["float32", 4, 2] }, (input, b) => {
      const unfit = b.add("MatMul", [input("x"), b.floats([1, 2, 3, Infinity], [2, 2])]);
      const column = b.floats([1, 2, 3, 4], [4, 1]);
      return { y: b.add("Gemm", [unfit, b.weights(2, 4), column]) };
    });
    const graph = await quantized(quantizeDynamic, other);
    expect(graph.changes).toBe(other.changes);
    expect(graph.journal.map((entry) => entry.reason)).toEqual([
      "its weights are not all finite",
      "its bias is not one number per output channel",
    ]);
  });

  it("leaves what is said to multiply integers with float32", async () => {
    const other = graphOf({ x: ["int32", 4, 2] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.weights(2, 4)]),
    }));
    const graph = await quantized(quantizeDynamic, other);
    expect(graph.journal.map((entry) => entry.reason)).toEqual(["its activation is int32"]);
  });

  it("leaves what multiplies integers already, and so do others that round weights", async () => {
    const once = await quantized(quantizeDynamic, float);
    for (const pass of [quantizeDynamic, quantizeWeights, quantizeStatic]) {
      const before = once.journal.length;
      const again = await quantized<unknown>(pass, once, {});
      const reasons = again.journal.slice(before).map(({ op, reason }) => `${op}: ${reason}`);
      expect(reasons, pass.name).toContain("MatMulInteger: it is quantized already");
    }
  });

  it("leaves convolutions and weights of higher rank", async () => {
    const other = graphOf({ x: ["float32", 2, 3, 4, 4] }, (input, b) => ({
      y: b.add("MatMul", [
        b.add("Conv", [input("x"), b.weights(2, 3, 1, 1)]),
        b.weights(2, 2, 4, 4),
      ]),
    }));
    const graph = await quantized(quantizeDynamic, other);
    expect(graph.changes).toBe(other.changes);
    expect(graph.journal.map((entry) => entry.reason)).toEqual([
      "integer convolutions with dynamic ranges are slower than float ones",
      "its weights are not a matrix",
    ]);
  });
});

it("prints as expected on a small network", async () => {
  const small = graphOf({ x: ["float32", "T", 2] }, (input, b) => ({
    y: b.add("Gemm", [input("x"), b.floats([1, -2, 0.5, 4], [2, 2]), b.floats([0.25, -1])]),
  }));
  expect(await printGraph(await quantized(quantizeDynamic, small))).toMatchInlineSnapshot(`
    "graph main opset 21 (x: float32[T, 2]) -> (y) {
      %1, %2, %3 = DynamicQuantizeLinear(x) : uint8[T, 2], float32[], uint8[]
      %4 = MatMulInteger(%1, const int8[2, 2] [64, -32, 32, 64], %3, const int8[2] [0, 0]) : int32[T, 2]
      %5 = Cast(%4) {to = 1} : float32[T, 2]
      %6 = Mul(%2, const float32[2] [0.015625, 0.0625]) : float32[2]
      %7 = Mul(%5, %6) : float32[T, 2]
      %8 = Add(%7, const float32[2] [0.25, -1.0]) : float32[T, 2]
      return %8
    }
    "
  `);
});
