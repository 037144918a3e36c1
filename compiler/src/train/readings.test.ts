import { PareError, type Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { edit, type Graph } from "../ir/index.js";
import { distillGraph } from "../passes/distillation/distill-graph.js";
import { distill } from "../passes/distill.js";
import { run } from "../passes/quantization/engine-case.test.support.js";
import { randomOf } from "../pipeline/random.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { initializeFresh } from "./initialize.js";
import type { Signal } from "./objectives.js";
import { emitReadings } from "./readings.js";
import { examplesOf } from "./small-networks.test.support.js";

/** [samples, places, 3] to [samples, places, 2], place by place, with an operator behind; the mask goes nowhere. */
function perPlace(seed: number, last = "Identity"): Graph {
  const graph = graphOf(
    { x: ["float32", "N", "T", 3], mask: ["int64", "N", "T"], other: ["int64", "N"] },
    (input, b) => ({
      y: b.add(last, [
        b.add("Add", [b.add("MatMul", [input("x"), b.weights(3, 2)]), b.weights(2)]),
      ]),
      z: b.add("Cast", [input("mask")], { to: { type: "int", value: 1n } }),
    }),
  );
  initializeFresh(graph, (name) => randomOf(seed, name));
  return graph;
}

function feedsOf(seed: number, filler: number): Tensors {
  const draw = randomOf(seed, "places");
  const data = Float32Array.from({ length: 12 }, (_, at) => (at < 6 ? draw() - 0.5 : filler));
  return {
    x: { type: "float32", dims: [1, 4, 3], data },
    mask: { type: "int64", dims: [1, 4], data: BigInt64Array.of(1n, 5n, 0n, 0n) },
    other: { type: "int64", dims: [1], data: BigInt64Array.of(1n) },
  };
}

async function read(signal: { mask?: string; mean?: boolean }): Promise<readonly number[]> {
  const graph = perPlace(1);
  const [name = ""] = emitReadings(graph, [{ value: "y", loss: "mse", ...signal }], "student");
  edit(
    graph,
    "show",
    (editor) => {
      for (const { id, name: one } of graph.allValues()) if (one === name) editor.addOutput(id);
    },
    { interface: true },
  );
  const outputs = await run(graph, feedsOf(2, 7));
  return [...((outputs[name]?.data ?? []) as Float32Array)];
}

describe("what signals read", () => {
  it("is the value where places count, 0 elsewhere, and the mean over those that count", async () => {
    const whole = await read({});
    // A negative number times 0 is −0.
    const masked = (await read({ mask: "mask" })).map((value) => value + 0);
    expect(masked).toEqual([...whole.slice(0, 4), 0, 0, 0, 0]);
    const mean = [0, 1].map((at) => ((whole[at] ?? 0) + (whole[at + 2] ?? 0)) / 2);
    for (const [at, value] of (await read({ mask: "mask", mean: true })).entries())
      expect(value).toBeCloseTo(mean[at] ?? 0, 6);
    const all = [0, 1].map((at) =>
      [0, 2, 4, 6].reduce((sum, by) => sum + (whole[at + by] ?? 0), 0),
    );
    for (const [at, value] of (await read({ mean: true })).entries())
      expect(value).toBeCloseTo((all[at] ?? 0) / 4, 5);
  });

  it.each<[string, Partial<Signal> & { value: string }, RegExp]>([
    ["a mask that is no input", { value: "y", mask: "y" }, /^RECIPE: There is no input "y"/],
    [
      "a mask of other axes",
      { value: "y", mask: "other" },
      /^MODEL_SHAPE: "other" of the student is/,
    ],
    ["a value of other axes", { value: "z", mean: true }, /^MODEL_SHAPE: "z" of the student is/],
    [
      "a mean of scores",
      { value: "y", mask: "mask", mean: true, loss: "divergence" },
      /^RECIPE: "y" has a mean over places, which no divergence is of/,
    ],
    ["a value that is not there", { value: "w", mean: true }, /^RECIPE: The student has no value/],
  ])("is refused with %s", (_, signal, message) => {
    let said = "";
    try {
      emitReadings(perPlace(1), [{ loss: "mse", ...signal }], "student");
    } catch (error) {
      if (error instanceof PareError) said = `${error.code}: ${error.message}`;
    }
    expect(said).toMatch(message);
  });
});

describe("a student that learns of places", () => {
  const plain = { optimizer: "sgd", weightDecay: 0 };
  const taught = async (
    filler: number,
    signal: Readonly<Record<string, unknown>>,
    {
      last,
      teacher = 9,
      ...more
    }: { last?: string; teacher?: number } & Partial<typeof plain> = {},
  ) => {
    const student = perPlace(5, last);
    const samples = Array.from({ length: 24 }, (_, seed) => ({
      feeds: feedsOf(seed, filler),
      label: undefined,
    }));
    const options = distill.parse({
      epochs: 30,
      batch: 8,
      rate: 0.05,
      signals: [{ value: "y", loss: "mse", ...signal }],
      ...more,
    });
    const { history } = await distillGraph(student, options, {
      examples: examplesOf(samples),
      teacher: perPlace(teacher, last),
      random: (name) => randomOf(3, name),
    });
    const weights = [...student.allValues()].flatMap(({ constant }) => constant?.numbers() ?? []);
    return { weights, history };
  };

  it.each([true, false])("learns nothing of what fills samples up: mean %s", async (mean) => {
    const signal = { mask: "mask", mean };
    const [one, other] = [await taught(0, signal), await taught(100, signal)];
    expect(other.weights).toEqual(one.weights);
    expect(one.history.at(-1)?.loss).toBeLessThan((one.history[0]?.loss ?? 0) / 20);
  });

  it.each([
    ["divergence", "Softmax"],
    ["binary-cross-entropy", "Sigmoid"],
  ])("learns by %s what is before a %s, where it counts", async (loss, last) => {
    const signal = { loss, mask: "mask" };
    const [one, other] = [await taught(0, signal, { last }), await taught(100, signal, { last })];
    for (const [at, weight] of other.weights.entries())
      expect(weight).toBeCloseTo(one.weights[at] ?? 0, 4);
    // Who is as the teacher has nothing to learn.
    const same = await taught(0, signal, { last, teacher: 5, ...plain });
    const before = [...perPlace(5).allValues()].flatMap(
      ({ constant }) => constant?.numbers() ?? [],
    );
    for (const [at, weight] of same.weights.entries())
      expect(weight).toBeCloseTo(before[at] ?? 0, 2);
  });

  it("without a mask learns of all of it", async () => {
    const [one, other] = [await taught(0, { mean: true }), await taught(1, { mean: true })];
    expect(other.weights).not.toEqual(one.weights);
  });

  it("leaves the graph as it was, but for its weights", async () => {
    const [before, student] = [perPlace(5), perPlace(5)];
    const options = distill.parse({
      epochs: 1,
      batch: 4,
      signals: [{ value: "y", loss: "cosine", mask: "mask", mean: true }],
    });
    await distillGraph(student, options, {
      examples: examplesOf(
        [1, 2, 3, 4].map((seed) => ({ feeds: feedsOf(seed, 0), label: undefined })),
      ),
      teacher: perPlace(9),
      random: (name) => randomOf(3, name),
    });
    expect(student.order().map(({ op }) => op)).toEqual(before.order().map(({ op }) => op));
  });
});
