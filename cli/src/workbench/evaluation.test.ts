import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SampleSet, Tensor, Tensors, ValueInfo } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openData } from "../data/open-data.js";
import { openEngines } from "./engines.js";
import { calibrationOn } from "./calibration-samples.js";
import { examplesOf, samplesFor } from "./evaluation.js";

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
    const examples = examplesOf({ samples, splits, seed: 0 }, engines.reference);
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
