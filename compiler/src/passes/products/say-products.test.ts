import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph } from "../../ir/index.js";
import { graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { calibrationOn, quantized } from "../quantization/engine-case.test.support.js";
import { quantizeStatic } from "../quantize-static.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { sayProducts } from "./say-products.js";

const size = fc.integer({ min: 1, max: 5 });
/** What is added: nothing, a constant of some shape, or what is computed, one a row, one a column, or of all. */
const added = fc.constantFrom("none", "row", "rows", "whole", "given column", "given row", "given");

const difference = (graph: Graph) => differenceOnceSaid(graph, sayProducts);

it("says a Gemm of any operands as it is compiled", async () => {
  const problem = fc.record({
    m: size,
    k: size,
    n: size,
    turned: fc.tuple(fc.boolean(), fc.boolean()),
    alpha: fc.constantFrom(1, -2, 0),
    beta: fc.constantFrom(1, 0.5),
    isComputed: fc.boolean(),
    added,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ m, k, n, turned: [a, b], alpha, beta, ...p }) => {
      const dims = { none: [], row: [n], rows: [m, 1], whole: [m, n], "given column": [m, 1], "given row": [n], given: [m, n] }[p.added]; // prettier-ignore
      const isGiven = p.added.startsWith("given");
      const graph = graphOf(
        {
          a: ["float32", ...(a ? [k, m] : [m, k])],
          ...(p.isComputed && { b: ["float32", ...(b ? [n, k] : [k, n])] as const }),
          ...(isGiven && { c: ["float32", ...dims] as const }),
        },
        (input, build) => {
          const right = p.isComputed ? input("b") : build.weights(...(b ? [n, k] : [k, n]));
          const third = isGiven ? [input("c")] : p.added === "none" ? [] : [build.weights(...dims)];
          const product = build.add("Gemm", [input("a"), right, ...third], {
            alpha: attribute.float(alpha),
            beta: attribute.float(beta),
            transA: attribute.int(a ? 1 : 0),
            transB: attribute.int(b ? 1 : 0),
          });
          return { y: build.add("Relu", [product]) };
        },
      );
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(90) },
  );
});

it("leaves a Gemm whose weights and bias are decoded from integers", async () => {
  const graph = graphOf({ a: ["float32", 2, 3] }, (input, b) => ({
    y: b.add("Gemm", [input("a"), b.weights(3, 4), b.weights(4)]),
  }));
  const integers = await quantized(quantizeStatic, graph, {}, calibrationOn(graph, [{}]));
  const before = opsOf(integers);
  sayProducts(integers);
  expect(opsOf(integers)).toEqual(before);
  expect(before).toContain("Gemm");
});

it("leaves a Gemm that is compiled as it is", () => {
  const graph = graphOf({ a: ["float32", 2, 3] }, (input, b) => ({
    y: b.add("Gemm", [input("a"), b.weights(3, 4), b.weights(4)], { alpha: attribute.float(2) }),
  }));
  sayProducts(graph);
  expect(opsOf(graph)).toEqual(["Gemm"]);
});
