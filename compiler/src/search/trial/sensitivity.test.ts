import type { Executor } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Fingerprints } from "../../analysis/fingerprints.js";
import { MeasuredActivations } from "../../calibrate/measured-activations.js";
import type { ValueId } from "../../ir/index.js";
import { calibrationOn } from "../../passes/quantization/engine-case.test.support.js";
import { memoryCache } from "../../pipeline/services.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { sensitivityTrials } from "../plan/costs.js";
import { keepingFloat } from "./mixed.js";
import { Learned } from "../make/learned.js";
import { type Layer, LayerErrors, mostSensitive } from "./sensitivity.js";
import { SharedFiles } from "../make/shared-files.js";

describe("the most sensitive layers", () => {
  const layersOf = (count: number): Layer[] =>
    Array.from({ length: count }, (_, index) => ({ layer: `n${index}`, op: "Conv" }));

  it("come first, in the order of what each does, where errors add up", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 40 }),
        async (errors) => {
          const layers = layersOf(errors.length);
          const ranked: number[] = [];
          const errorOf = async (some: readonly Layer[]): Promise<number> =>
            some.reduce((sum, { layer }) => sum + (errors[Number(layer.slice(1))] ?? 0), 0);
          for await (const { error } of mostSensitive(layers, errorOf)) ranked.push(error);
          expect(ranked).toEqual(errors.toSorted((a, b) => b - a));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("are found with a few trials where one stands out", async () => {
    let trials = 0;
    const ranked = mostSensitive(layersOf(64), async (some) => {
      trials += 1;
      return some.some(({ layer }) => layer === "n37") ? 1 : 0.01 * some.length;
    });
    expect((await ranked.next()).value).toMatchObject({ layer: "n37", error: 1 });
    expect(trials).toBeLessThanOrEqual(sensitivityTrials(64));
  });
});

it("is measured of some layers alone, also where a node is called as its operator", async () => {
  const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
    const weighted = (from: ValueId, name: string): ValueId =>
      b.editor.add1("MatMul", [from, b.weights(4, 4)], {}, { name });
    return { y: weighted(b.add("Tanh", [weighted(input("x"), "MatMul")]), "MatMul_1") };
  });
  const samples = calibrationOn(graph);
  const examples = {
    ...samples,
    async *read() {
      for await (const feeds of samples.samples()) yield { feeds, label: undefined };
    },
  };
  const group = { steps: [{ use: "quantize-static" }], required: false };
  const layers = ["MatMul", "MatMul_1"].map((layer) => ({ layer, op: "MatMul" }));
  const load = vi.fn<Executor["load"]>((...args) => cpu().load(...args));
  const kept = { cache: memoryCache(), setting: "these samples" };
  const errors = (): LayerErrors =>
    new LayerErrors({
      from: { graph, groups: [], precision: "float32", statistics: new Map(), shares: [] },
      keeping: (nodes) => keepingFloat(group, nodes),
      layers,
      device: { target: "cpu", engine: "this", executor: { load } },
      examples,
      services: {
        activations: new MeasuredActivations(samples),
        fingerprints: new Fingerprints(),
        files: new SharedFiles(),
        learned: new Learned(),
        seed: 0,
      },
      kept,
    });
  const found = errors();
  const errorOf = (some: readonly Layer[]): Promise<number> => found.of(some);
  const [first, second] = [await errorOf(layers.slice(0, 1)), await errorOf(layers.slice(1))];
  expect(first).toBeGreaterThan(0);
  expect(second).toBeGreaterThan(0);
  expect(await errorOf(layers)).toBeGreaterThan(Math.max(first, second) / 2);
  expect(await errorOf([])).toBe(0);
  // A later run knows it.
  const before = load.mock.calls.length;
  expect(before).toBeGreaterThan(3);
  expect(await errors().of(layers.slice(0, 1))).toBe(first);
  expect(load).toHaveBeenCalledTimes(before);
});
