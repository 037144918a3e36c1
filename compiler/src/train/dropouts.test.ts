import type { Tensors } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { randomOf } from "../pipeline/random.js";
import { type Declared, graphOf } from "../rules/rule-case.test.support.js";
import { type Dropout, dropoutFeeds } from "./dropouts.js";
import { forwardGraph } from "./forward-graph.js";
import { drawn, floatsOf, load, tolerance } from "./gradient-check.test.support.js";
import { chooseObjectives } from "./objectives.js";
import { learnedConstants, trainedConstants } from "./parameters.js";
import { bars, batchOf, network } from "./small-networks.test.support.js";
import { type TrainingGraph, trainingGraph } from "./training-graph.js";

const random = (name: string): (() => number) => randomOf(3, name);
const one = (dims: readonly number[], ratio = 0.25): Dropout => ({ input: "d", dims, ratio });
const factors = (dropout: Dropout, steps = 0, from = 0): Float32Array =>
  floatsOf(dropoutFeeds([dropout], random, steps, from)[dropout.input]);

/** The step of a small network on eight samples. */
function stepOf(graph: Graph, dropout: "apply" | "skip" = "apply"): TrainingGraph {
  const batch = 8;
  const learned = learnedConstants(graph);
  const [output] = graph.main.outputs;
  if (output === undefined) throw new Error("no output");
  const objectives = [
    {
      loss: { kind: "cross-entropy", targets: "classes" },
      weight: 1,
      value: output,
      dims: [4],
      axis: 0,
      target: { from: "labels" },
    },
  ] satisfies ReturnType<typeof chooseObjectives>;
  return trainingGraph(graph, {
    samples: { x: [1, 1, 8, 8] },
    batch,
    objectives,
    learned,
    trained: trainedConstants(graph, learned, []),
    norms: "batch",
    dropout,
    recompute: false,
    engine: "cpu",
  });
}

describe("what is dropped", () => {
  it("is the ratio of it, and the rest is as much larger", () => {
    const ratio = fc.double({ min: 0.01, max: 0.95, noNaN: true });
    const property = fc.property(ratio, fc.integer({ min: 0, max: 1000 }), (share, steps) => {
      const drawnFactors = factors(one([10_000], share), steps);
      const kept = drawnFactors.filter((factor) => factor !== 0);
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - share))]));
      // Four standard deviations.
      const deviation = Math.sqrt((share * (1 - share)) / 10_000);
      expect(Math.abs(1 - kept.length / 10_000 - share)).toBeLessThan(4 * deviation + 1e-4);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it("is something else at each step and in each place, and the same for the same seed", () => {
    const dims = [4, 50];
    expect(factors(one(dims), 1)).toEqual(factors(one(dims), 1));
    expect(factors(one(dims), 1)).not.toEqual(factors(one(dims), 2));
    const both = dropoutFeeds([one(dims), { ...one(dims), input: "e" }], random, 1);
    expect(both["d"]?.data).not.toEqual(both["e"]?.data);
    const other = dropoutFeeds([one(dims)], (name) => randomOf(4, name), 1);
    expect(other["d"]?.data).not.toEqual(both["d"]?.data);
  });

  it("is of a share of a batch what it is in the whole", () => {
    const whole = factors(one([7, 30]), 5);
    expect(factors(one([4, 30]), 5, 0)).toEqual(whole.subarray(0, 120));
    expect(factors(one([3, 30]), 5, 4 / 3)).toEqual(whole.subarray(120));
  });
});

describe("a training graph with dropout", () => {
  const samples = bars(8, 2);
  const step = stepOf(network({ dropout: 0.4, norm: false }));
  const parameters: Tensors = Object.fromEntries(
    step.parameters.map(({ input, tensor }, index) => [
      input,
      drawn("normal", tensor.dims, index + 1),
    ]),
  );
  const labels = BigInt64Array.from(samples, (_, index) => BigInt(index % 4));
  const feeds: Tensors = {
    ...batchOf(samples),
    ...parameters,
    target_0: { type: "int64", dims: [8], data: labels },
    ...dropoutFeeds(step.dropouts, random, 0),
  };

  it("has gradients that agree with central differences, the same being dropped", async () => {
    expect(step.dropouts).toMatchObject([{ dims: [8, 64], ratio: Math.fround(0.4) }]);
    const session = await load(step.graph);
    const lossAt = async (input: string, moved: Float32Array): Promise<number> => {
      const dims = feeds[input]?.dims ?? [];
      const given: Tensors = { ...feeds, [input]: { type: "float32", dims, data: moved } };
      return floatsOf((await session.run(given))["loss"])[0] ?? Number.NaN;
    };
    const outputs = await session.run(feeds);
    for (const { input, gradient } of step.parameters) {
      const [own, slope] = [floatsOf(feeds[input]), floatsOf(outputs[gradient])];
      const length = Math.hypot(...slope);
      const epsilon = 5e-3;
      const [ahead, behind] = [1, -1].map((sign) =>
        lossAt(
          input,
          own.map((value, at) => value + (sign * epsilon * (slope[at] ?? 0)) / length),
        ),
      );
      const measured = (((await ahead) ?? 0) - ((await behind) ?? 0)) / (2 * epsilon);
      expect(Math.abs(measured / length - 1), input).toBeLessThan(tolerance);
      expect(Math.abs(measured / (1.05 * length) - 1), input).toBeGreaterThan(tolerance);
    }
    await session.dispose();
  });

  it("passes nothing to what was dropped", async () => {
    const session = await load(step.graph);
    const nothing = new Float32Array(8 * 64);
    const input = step.dropouts[0]?.input ?? "";
    const dropped: Tensors = {
      ...feeds,
      [input]: { type: "float32", dims: [8, 64], data: nothing },
    };
    const outputs = await session.run(dropped);
    await session.dispose();
    const named = (name: string): string =>
      step.parameters.find((parameter) => parameter.name === name)?.gradient ?? "";
    expect(Math.hypot(...floatsOf(outputs[named("conv.w")]))).toBe(0);
    expect(Math.hypot(...floatsOf(outputs[named("head.b")]))).toBeGreaterThan(0);
  });

  it("feeds nothing where nothing is to be dropped", () => {
    const inputs = (graph: TrainingGraph): readonly string[] =>
      graph.graph.main.inputs.map((id) => graph.graph.value(id).name);
    const without = stepOf(network({ norm: false }));
    const skipped = stepOf(network({ dropout: 0.4, norm: false }), "skip");
    expect(inputs(skipped)).toEqual(inputs(without));
    expect(skipped.dropouts).toEqual([]);
    expect(inputs(step)).toContain("dropout_0");
  });
});

describe("a Dropout", () => {
  /** @param ratio an input that varies, or what is constant */
  function dropping(ratio: number | null, mode: boolean | null, withMask = false): Graph {
    const inputs: Readonly<Record<string, Declared>> = {
      x: ["float32", "N", 3],
      ...(ratio === null && { r: ["float32"] }),
    };
    return graphOf(inputs, (input, { add, many, editor, weights, floats }) => {
      const hidden = add("MatMul", [input("x"), weights(3, 3)]);
      const share = ratio === null ? input("r") : floats([ratio]);
      const training =
        mode === null
          ? null
          : editor.constant("mode", Tensor.of("bool", [], Uint8Array.of(mode ? 1 : 0)));
      const dropped = many("Dropout", 2, [hidden, share, training], { seed: attribute.int(1) });
      const [y, mask] = dropped as readonly [ValueId, ValueId];
      return { y, ...(withMask && { kept: add("Cast", [mask], { to: attribute.int(1) }) }) };
    });
  }

  const fault = (graph: Graph): string => {
    try {
      stepOf(graph);
    } catch (error) {
      return String(error);
    }
    return "no error";
  };

  it("must say which share, and be one", () => {
    expect(fault(dropping(null, null))).toMatch(/ratio is not known before it runs/);
    expect(fault(dropping(1, null))).toMatch(/ratio is 1, which is no share/);
    expect(fault(dropping(-0.5, null))).toMatch(/ratio is -0.5, which is no share/);
  });

  it.each([true, false, null])(
    "drops nothing in a forward pass, training_mode %s",
    async (mode) => {
      const graph = dropping(0.5, mode, true);
      const forward = forwardGraph(graph, { x: [1, 3] }, 20, graph.main.outputs);
      expect(forward.order().map(({ op }) => op)).not.toContain("Dropout");
      const session = await load(forward);
      const x = drawn("normal", [20, 3], 1);
      const { output_0: y, output_1: kept } = await session.run({ x });
      await session.dispose();
      expect(floatsOf(y).filter((value) => value === 0).length).toBe(0);
      expect(new Set(floatsOf(kept))).toEqual(new Set([1]));
    },
  );

  it("gives what is fed as its mask to who reads it", async () => {
    const graph = dropping(0.5, true, true);
    const [y, kept] = graph.main.outputs;
    if (y === undefined || kept === undefined) throw new Error("no mask");
    const learned = learnedConstants(graph);
    const target = { from: "labels" } as const;
    const step = trainingGraph(graph, {
      samples: { x: [1, 3] },
      batch: 4,
      objectives: [y, kept].map((value) => ({
        loss: { kind: "mse" },
        weight: 1,
        value,
        dims: [3],
        axis: 0,
        target,
      })),
      learned,
      trained: learned,
      norms: "batch",
      dropout: "apply",
      recompute: false,
      engine: "cpu",
    });
    const filled = (value: number) => ({
      type: "float32" as const,
      dims: [4, 3],
      data: new Float32Array(12).fill(value),
    });
    const [{ input, tensor } = { input: "", tensor: null }] = step.parameters;
    const session = await load(step.graph);
    const outputs = await session.run({
      x: drawn("normal", [4, 3], 2),
      [input]: drawn("normal", tensor?.dims ?? [], 1),
      dropout_0: filled(2),
      target_0: filled(0),
      target_1: filled(3),
    });
    await session.dispose();
    // The mask is 1 where 2 is fed.
    expect(floatsOf(outputs["loss_1"])[0]).toBe(4);
  });
});
