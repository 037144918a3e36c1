import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { evaluateGraph } from "../../ops/index.js";
import { type Builder, graphOf, madeUp, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { relativeError } from "../../wasm/run-model.test.support.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { sayNormalizations } from "./say-normalizations.js";

const size = (min: number, max: number) => fc.integer({ min, max });

const difference = (graph: Graph) => differenceOnceSaid(graph, sayNormalizations);

it("divides by what is around in other channels, alone and between convolutions", async () => {
  const problem = fc.record({
    dims: fc
      .tuple(size(1, 2), size(1, 9), fc.array(size(1, 5), { minLength: 2, maxLength: 2 }))
      .map(([batch, channels, places]) => [batch, channels, ...places] as const),
    size: fc.constantFrom(1, 3, 5, 7),
    alpha: fc.constantFrom(undefined, 1, 0.05),
    beta: fc.constantFrom(undefined, 0.5, 1, 0.75, Math.fround(1.3)),
    bias: fc.constantFrom(undefined, 2),
    isBetween: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, alpha, beta, bias, isBetween, ...own }) => {
      const [, channels] = dims;
      const convolve = (b: Builder, x: ValueId): ValueId =>
        isBetween ? b.add("Conv", [x, b.weights(channels, channels, 1, 1)]) : x;
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const made = b.add("LRN", [convolve(b, input("x"))], {
          size: attribute.int(own.size),
          ...(alpha !== undefined && { alpha: attribute.float(alpha) }),
          ...(beta !== undefined && { beta: attribute.float(beta) }),
          ...(bias !== undefined && { bias: attribute.float(bias) }),
        });
        return { y: convolve(b, made) };
      });
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(60) },
  );
});

it("takes windows of even sizes, which the engine refuses, as ONNX says", async () => {
  for (const window of [2, 4]) {
    const graph = graphOf({ x: ["float32", 1, 6, 2, 3] }, (input, b) => ({
      y: b.add("LRN", [input("x")], { size: attribute.int(window), alpha: attribute.float(1) }),
    }));
    const said = graph.fork();
    sayNormalizations(said);
    expect(opsOf(said)).not.toContain("LRN");
    const feeds = madeUp(graph, {});
    const [expected, found] = [await evaluateGraph(graph, feeds), await evaluateGraph(said, feeds)];
    expect(relativeError(expected, found)).toBeLessThan(1e-6);
  }
});

it("divides by norms along any axis, and leaves zeros", async () => {
  const problem = fc.record({
    dims: fc.array(size(1, 6), { minLength: 1, maxLength: 4 }),
    axis: fc.constantFrom(undefined, 0, -1),
    p: fc.constantFrom(undefined, 1, 2),
    hasZeros: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, axis, p, hasZeros }) => {
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const x = hasZeros ? b.add("Mul", [input("x"), b.floats([0])]) : input("x");
        const attributes = {
          ...(axis !== undefined && { axis: attribute.int(axis) }),
          ...(p !== undefined && { p: attribute.int(p) }),
        };
        return { y: b.add("LpNormalization", [x], attributes) };
      });
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(45) },
  );
});

it("leaves an axis that there is not", async () => {
  const graph = graphOf({ x: ["float32", 3, 4] }, (input, b) => ({
    y: b.add("LpNormalization", [input("x")], { axis: attribute.int(2) }),
  }));
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles).toMatchObject([{ op: "LpNormalization", reason: "it has no such axis" }]);
});

it("leaves a window that no network has", async () => {
  for (const window of [0, -3, 2 ** 40]) {
    const graph = graphOf({ x: ["float32", 1, 4, 2, 2] }, (input, b) => ({
      y: b.add("LRN", [input("x")], { size: attribute.int(window) }),
    }));
    const { obstacles } = await supportOf(graph, aot);
    expect(obstacles).toMatchObject([{ op: "LRN", reason: "its window is not of 1 to 4096" }]);
  }
});
