import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import {
  byteSource,
  type SampleSet,
  type Tensor,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openData } from "../data/open-data.js";
import { openEngines } from "./engines.js";
import { calibrationOn } from "./calibration-samples.js";
import { settingOf } from "./earlier-results.js";
import { examplesOf, prepareEvaluation, samplesFor } from "./evaluation.js";
import { openModelSource } from "./opened-model.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-calibration-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("calibration begins with samples of every class of data that lies sorted", async () => {
  const path = join(folder, "sorted.jsonl");
  const lines = Array.from({ length: 1000 }, (_, index) =>
    JSON.stringify({ x: [Math.floor(index / 250), index] }),
  );
  await writeFile(path, lines.join("\n"));
  const inputs = [{ name: "x", type: "float32", dims: [1, 2] }] as const;
  const data = await openData(path, { inputs, seed: 0 });
  const engines = await openEngines(["cpu"]);
  try {
    const { samples, splits } = data;
    const examples = examplesOf({ examples: samples, splits, seed: 0 }, engines.reference);
    const classes = new Set<unknown>();
    let seen = 0;
    for await (const { x } of examples ? calibrationOn(examples).samples() : []) {
      if (seen++ < 8) classes.add(x?.data[0]);
    }
    expect(classes.size).toBe(4);
    expect(seen).toBe(splits.calibration.length);
  } finally {
    await engines.dispose();
    await data.dispose();
  }
});

it("feeds a model's only input whatever it is called, and others by their names", async () => {
  const tensor = (value: number): Tensor => ({
    type: "float32",
    dims: [1],
    data: Float32Array.of(value),
  });
  const setOf = (feeds: Tensors): SampleSet => {
    const sample = { id: "0", label: null, group: null, feeds };
    return { size: 1, labelled: false, sample: async () => sample, info: async () => sample };
  };
  const input = (name: string): ValueInfo => ({ name, type: "float32", dims: [1] });
  const one = { samples: setOf({ x: tensor(1) }), shapes: { x: [1] } };
  expect(samplesFor([input("x")], one)).toBe(one.samples);
  const renamed = await samplesFor([input("image")], one).sample(0);
  expect(renamed.feeds).toEqual({ image: tensor(1) });
  const two = { samples: setOf({ x: tensor(1), y: tensor(2) }), shapes: { x: [1], y: [1] } };
  expect(samplesFor([input("image")], two)).toBe(two.samples);
});

it("tells what was measured at other sizes of a dim apart, without data too", async () => {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[1, width]) -> (y) {\n  %1 = Neg(x) : float32[1, width]\n  return %1\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  const engines = await openEngines(["cpu"]);
  try {
    const samplesAt = async (...width: readonly number[]) => {
      const { reference } = engines;
      const evaluation = await prepareEvaluation(model, null, {}, 0, reference, {
        sizes: { width },
      });
      return (await settingOf({ data: null, engines, evaluation }, undefined, null)).samples;
    };
    expect(await samplesAt(160, 320)).toEqual(await samplesAt(160, 320));
    expect(await samplesAt(160, 320)).not.toEqual(await samplesAt(160, 1280));
  } finally {
    await engines.dispose();
  }
});

it("takes subfolders for no labels where a model gives no scores, and labels that were given for what they are", async () => {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[1, 3, 4, 4]) -> (y) {\n  %1 = Neg(x) : float32[1, 3, 4, 4]\n  return %1\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  const path = join(folder, "labelled.jsonl");
  const lines = Array.from({ length: 20 }, (_, at) => ({ x: Array.from({ length: 48 }, () => at / 20), label: at % 2 })); // prettier-ignore
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const data = await openData(path, { inputs: model.inputs, seed: 0 });
  const engines = await openEngines(["cpu"]);
  try {
    const measuredBy = async (labelsAreFolders: boolean) => {
      const given = { ...data, labelsAreFolders };
      const { scorer, note } = await prepareEvaluation(model, given, {}, 0, engines.reference);
      return { metric: scorer?.metric, evidence: scorer?.evidence, isSaid: note !== null };
    };
    expect(await measuredBy(true)).toEqual({
      metric: "concordance",
      evidence: "unlabelled",
      isSaid: true,
    });
    expect(await measuredBy(false)).toEqual({
      metric: "mse",
      evidence: "labelled",
      isSaid: false,
    });
  } finally {
    await engines.dispose();
    await data.dispose();
  }
});

it("without labels, looks at scores apart from the boxes that they are joined with", async () => {
  const graph = parseGraph(
    [
      "graph main opset 21 (x: float32[1, 2, 4]) -> (y) {",
      "  %1 = Sigmoid(x) : float32[1, 2, 4]",
      "  %2 = Concat(x, %1) {axis=1} : float32[1, 4, 4]",
      "  return %2",
      "}",
      "",
    ].join("\n"),
  );
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  const path = join(folder, "joined.jsonl");
  const random = (at: number): number => Math.sin(12.9898 * at);
  const lines = Array.from({ length: 20 }, (_, at) => ({ x: Array.from({ length: 8 }, (_one, i) => 100 * random(8 * at + i)) })); // prettier-ignore
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const data = await openData(path, { inputs: model.inputs, seed: 0 });
  const engines = await openEngines(["cpu"]);
  try {
    const { scorer } = await prepareEvaluation(model, data, {}, 0, engines.reference);
    const sample = await data.samples.sample(0);
    const boxes = sample.feeds["x"]?.data ?? [];
    const said = (scoreOf: (box: number) => number): Tensors => {
      const both = [...boxes].map(Number);
      const y = Float32Array.from([...both, ...both.map(scoreOf)]);
      return { y: { type: "float32", dims: [1, 4, 4], data: y } };
    };
    const float = said((box) => 1 / (1 + Math.exp(-box)));
    const agreement = async (outputs: Tensors) => {
      const kept = await scorer?.keep(outputs, sample, float);
      return (await scorer?.reduce([kept], [[0]]))?.[0];
    };
    expect(await agreement(float)).toBe(1);
    expect(await agreement(said(() => 0))).toBeLessThan(0.5);
  } finally {
    await engines.dispose();
    await data.dispose();
  }
});
