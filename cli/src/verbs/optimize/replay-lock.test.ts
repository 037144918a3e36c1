import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseManifest, type Report } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { optimize, type OptimizeCall } from "../../index.js";

const mnist = fileURLToPath(new URL("../../../../fixtures/models/mnist-cnn.onnx", import.meta.url));

let folder = "";
let model = "";
let data = "";
let first: Report;
const inFolder = (name: string): string => join(folder, name);

/** Small weights, whatever they gain. */
const recipe = { steps: ["simplify", { use: "quantize-weights", required: true }] };
const noise = `let seed = 1;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
export const samples = Array.from({ length: 40 }, () => ({ feeds: { x: Float32Array.from({ length: 784 }, random) } }));`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-replay-"));
  vi.stubEnv("XDG_CACHE_HOME", inFolder("cache"));
  model = inFolder("digits.onnx");
  await copyFile(mnist, model);
  data = inFolder("noise.mjs");
  await writeFile(data, noise);
  await writeFile(inFolder("small.json"), JSON.stringify(recipe));
  const call = { target: ["cpu"], recipe: inFolder("small.json"), timeBudgetMs: 20_000 } as const;
  const output = inFolder("first.pare");
  ({ report: first } = await optimize(model, { ...call, data, maxDrop: 1, output }));
  await optimize(model, { ...call, output: inFolder("unseen.pare") });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const frozen = () => inFolder("first.pare/pare.lock.json");
const replayed = (call: OptimizeCall = {}) =>
  optimize(model, { frozen: frozen(), output: inFolder("again.pare"), ...call });

it("says what the lock's figures rest on, and the float model's own sizes", async () => {
  const { report, missed } = await replayed();
  expect(missed).toEqual([]);
  expect(first.variants[0]).toMatchObject({ evidence: "unlabelled", precision: "int8-weights" });
  const [variant] = report.variants;
  expect(variant).toMatchObject({ evidence: "unlabelled", accuracy: first.variants[0]?.accuracy });
  expect(variant?.baseline).toEqual(first.variants[0]?.baseline);
  expect(report.float).toEqual(first.float);
  const text = await readFile(inFolder("again.pare/manifest.json"), "utf8");
  expect(parseManifest(JSON.parse(text)).variants[0]?.evidence).toBe("unlabelled");
});

it("claims no figure for the machine that replays, with data or without", async () => {
  expect(first.environment).not.toEqual({});
  for (const call of [{}, { data }]) {
    const { report } = await replayed(call);
    expect(report.environment).toEqual({});
    expect(report.data.caveat).toMatch(/^Decided before: /);
  }
});

it("names the machine that latencies were measured on, as far as the lock does", async () => {
  const { measuredOn, ...lock } = JSON.parse(await readFile(frozen(), "utf8"));
  const elsewhere = async (more: object) => {
    await writeFile(inFolder("elsewhere.json"), JSON.stringify({ ...lock, ...more }));
    await replayed({ frozen: inFolder("elsewhere.json") });
    const manifest = JSON.parse(await readFile(inFolder("again.pare/manifest.json"), "utf8"));
    const written = JSON.parse(await readFile(inFolder("again.pare/pare.lock.json"), "utf8"));
    return [manifest.variants[0].latencyMs.measuredOn, written.measuredOn];
  };
  expect(measuredOn).toMatch(/cores$/);
  const mac = "darwin arm64, 8 cores";
  expect(await elsewhere({ measuredOn: mac })).toEqual([mac, mac]);
  expect(await elsewhere({})).toEqual(["a machine that the lock does not name", undefined]);
});

it.each<[string, OptimizeCall]>([
  ["--seed", { seed: 3 }],
  ["--prefer", { prefer: "size" }],
  ["--recipe", { recipe: "prune" }],
  ["--metric", { metric: "top5", data }],
])("refuses %s where it was decided by another", async (where, call) => {
  await expect(replayed(call)).rejects.toMatchObject({ code: "ARGUMENT", where });
});

it("says of no engine that a file runs on it, because none was asked", async () => {
  const loads = ({ checks = [] }: Report) => checks.filter(({ what }) => what === "loads");
  expect(loads(first)).toHaveLength(1);
  expect(loads((await replayed()).report)).toEqual([]);
  expect(loads((await replayed({ data })).report)).toEqual([]);
});

describe("a budget", () => {
  it.each<[string, OptimizeCall, string]>([
    ["of the files", { maxSizeBytes: 1000 }, "size"],
    ["of the median", { maxLatencyMs: 1e-6 }, "latency"],
  ])("%s is held against the lock's figures", async (_, call, what) => {
    expect((await replayed(call)).missed).toMatchObject([{ target: "cpu", what }]);
  });

  it("of the metric is held, and is else what was allowed when it was decided", async () => {
    const path = inFolder("worse.lock.json");
    const lock = JSON.parse(await readFile(frozen(), "utf8"));
    lock.targets[0].accuracy.drop = 0.5;
    await writeFile(path, JSON.stringify(lock));
    expect((await replayed({ frozen: path })).missed).toEqual([]);
    expect((await replayed({ frozen: path, maxDrop: 0.4 })).missed).toMatchObject([
      { target: "cpu", what: "accuracy" },
    ]);
    const [{ maxDrop }] = JSON.parse(
      await readFile(inFolder("again.pare/pare.lock.json"), "utf8"),
    ).targets;
    expect(maxDrop).toBe(1);
  });

  it("of the metric is refused where the lock has no accuracy", async () => {
    const unseen = inFolder("unseen.pare/pare.lock.json");
    await expect(replayed({ frozen: unseen, maxDrop: 0.1 })).rejects.toMatchObject({
      code: "ARGUMENT",
      where: "--max-drop",
    });
    expect((await replayed({ frozen: unseen })).report.variants[0]?.evidence).toBe("none");
  });

  it("is read from pare.config.json", async () => {
    const config = inFolder("pare.config.json");
    await writeFile(config, JSON.stringify({ models: { "digits.onnx": { maxSize: "1kB" } } }));
    const { missed } = await replayed();
    await rm(config);
    expect(missed).toMatchObject([{ target: "cpu", what: "size" }]);
  });
});
