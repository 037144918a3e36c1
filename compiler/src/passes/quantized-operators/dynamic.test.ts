import { elementCount } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, type Declared, graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { type Bytes, bytes, compared, noiseBytes, own } from "./quantized-case.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const type = fc.constantFrom<Bytes>("uint8", "int8");
/** Of outputs that are about 1. */
const mostApart = 1e-4;

function weights(b: Builder, dtype: Bytes, zero: number, ...dims: readonly number[]): ValueId {
  return bytes(b, dtype, noiseBytes(elementCount(dims), zero), dims);
}

const scaleOf = (b: Builder, count: number): ValueId =>
  b.floats(
    Array.from({ length: count }, (_, at) => Math.fround(0.01 + at / 500)),
    count === 1 ? [] : [count],
  );

test("a product whose left operand is rounded in each run", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 3), size(1, 5), size(1, 9), size(2, 6)),
    type,
    perColumn: fc.boolean(),
    zero: fc.boolean(),
    bias: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: [batch, rows, inner, columns], ...how }) => {
      const zero = how.type === "uint8" ? 128 : 0;
      const graph = graphOf({ x: ["float32", batch, rows, inner] }, (input, b) => ({
        y: own(b, "DynamicQuantizeMatMul", [
          input("x"),
          weights(b, how.type, zero, inner, columns),
          scaleOf(b, how.perColumn ? columns : 1),
          how.zero || zero > 0 ? bytes(b, how.type, [zero]) : null,
          how.bias ? b.weights(columns) : null,
        ]),
      }));
      expect((await compared(graph, 1)).apart).toBeLessThan(mostApart);
    }),
    { numRuns: cases(45) },
  );
});

test("a product of integers that gives floats", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 5), size(1, 9), size(2, 6)),
    type,
    perColumn: fc.boolean(),
    bias: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: [rows, inner, columns], ...how }) => {
      const graph = graphOf({ x: ["float32", rows, inner] }, (input, b) => {
        const [x, scale, zero] = b.many("DynamicQuantizeLinear", 3, [input("x")]);
        const inputs = [
          x ?? null,
          weights(b, how.type, 3, inner, columns),
          scale ?? null,
          scaleOf(b, how.perColumn ? columns : 1),
          zero ?? null,
          bytes(b, how.type, [3]),
          how.bias ? b.weights(columns) : null,
        ];
        return { y: own(b, "MatMulIntegerToFloat", inputs) };
      });
      expect((await compared(graph, 1)).apart).toBeLessThan(mostApart);
    }),
    { numRuns: cases(45) },
  );
});

test("attention whose projections are products of integers", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 2), size(1, 4), size(1, 3)),
    past: fc.constantFrom(0, 0, 2),
    masked: fc.boolean(),
    causal: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ sizes: [batch, length, heads], past, masked, causal }) => {
      const keys = length + past;
      const inputs: Record<string, Declared> = { x: ["float32", batch, length, 8] };
      if (past > 0) inputs.past = ["float32", 2, batch, heads, past, 8];
      const graph = graphOf(inputs, (input, b) => {
        const [x, scale, zero] = b.many("DynamicQuantizeLinear", 3, [input("x")]);
        const shown = Int32Array.from({ length: batch * keys }, (_, at) => Number(at % keys < 2));
        const operands = [
          x ?? null,
          weights(b, "int8", 0, 8, 24 * heads),
          b.weights(24 * heads),
          scale ?? null,
          b.floats([0.02]),
          masked ? b.editor.constant("mask", Tensor.of("int32", [batch, keys], shown)) : null,
          zero ?? null,
          bytes(b, "int8", [0]),
          past > 0 ? input("past") : null,
        ];
        const attributes = {
          num_heads: attribute.int(heads),
          unidirectional: attribute.int(Number(causal)),
        };
        const options = { domain: "com.microsoft", outputs: past > 0 ? 2 : 1 };
        b.editor.setOpset("com.microsoft", 1);
        const [y, present] = b.editor.add("QAttention", operands, attributes, options);
        return { ...(y !== undefined && { y }), ...(present !== undefined && { present }) };
      });
      expect((await compared(graph, 1)).apart).toBeLessThan(mostApart);
    }),
    { numRuns: cases(45) },
  );
});

test("embeddings that are held as bytes", async () => {
  for (const [segments, masked] of [
    [false, false],
    [true, true],
  ]) {
    const graph = graphOf({ x: ["int32", 2, 3] }, (input, b) => {
      const one = b.editor.constant("one", Tensor.of("int32", [], Int32Array.of(1)));
      const tokens = b.add("Abs", [input("x")]);
      const binary = b.add("Min", [tokens, one]);
      const tables = [7, 5, 2].map((rows) => weights(b, "uint8", 128, rows, 8));
      const zero = bytes(b, "uint8", [128]);
      const few = segments ? [tables[2] ?? null] : [null];
      const scales = [0.01, 0.02, 0.03, 0.01, 0.02].map((scale) => b.floats([scale]));
      const operands = [
        tokens,
        segments ? binary : null,
        ...tables.slice(0, 2),
        ...few,
        weights(b, "uint8", 128, 8),
        weights(b, "uint8", 128, 8),
        masked ? binary : null,
        ...scales.map((scale, at) => (at === 2 && !segments ? null : scale)),
        ...scales.map((_, at) => (at === 2 && !segments ? null : zero)),
      ];
      b.editor.setOpset("com.microsoft", 1);
      const options = { domain: "com.microsoft", outputs: ["y", masked ? "count" : "none"] };
      const [y, count] = b.editor.add("QEmbedLayerNormalization", operands, {}, options);
      return { ...(y !== undefined && { y }), ...(masked && count !== undefined && { count }) };
    });
    expect((await compared(graph, 1)).apart).toBeLessThan(mostApart);
  }
});
