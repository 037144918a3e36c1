import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFault, type Report } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isPareError, optimize, type OptimizeCall, type OptimizeProgress } from "../../index.js";
import { someSamples } from "../../some-samples.test.support.js";

const mnist = fileURLToPath(new URL("../../../../fixtures/models/mnist-cnn.onnx", import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-function-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/**
 * Processes that this one started and that are still there, but for those that were there before: one of an earlier test may
 * be ending still. Linux alone tells.
 */
function children(before: readonly string[] = []): readonly string[] {
  if (process.platform !== "linux") return [];
  const tasks = readdirSync("/proc/self/task");
  const all = tasks.map((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8"));
  return all
    .flatMap((pids) => pids.split(" "))
    .filter((pid) => pid !== "" && !before.includes(pid));
}

/** Quick, and only as good as that. */
const quick = { target: ["cpu"], recipe: "simplify", timeBudgetMs: 20_000 } as const;

it("writes a bundle, and says how far it is and what came of it", async () => {
  const said: OptimizeProgress[] = [];
  const notes: string[] = [];
  const print = vi.spyOn(process.stdout, "write");
  const output = join(folder, "m.pare");
  const { bundle, report, missed } = await optimize(mnist, {
    ...quick,
    output,
    maxSizeBytes: 1000,
    onProgress: (progress) => said.push(progress),
    onNote: (line) => notes.push(line),
  });
  expect(print).not.toHaveBeenCalled();
  print.mockRestore();
  expect(bundle).toBe(output);
  expect(await readdir(output)).toContain("manifest.json");
  expect(JSON.parse(await readFile(join(output, "report.json"), "utf8"))).toEqual(
    JSON.parse(JSON.stringify(report)),
  );
  expect(report.variants.map(({ target }) => target)).toEqual(["cpu"]);
  expect(report.command).toMatch(/^optimize\("[^"]*mnist-cnn\.onnx", \{.*"recipe":"simplify"/);
  expect(JSON.stringify(report)).not.toContain(folder);
  expect(missed).toMatchObject([{ target: "cpu", what: "size", outcome: "missed" }]);
  const fractions = said.map(({ fraction }) => fraction);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  expect(fractions.at(-1)).toBe(1);
  expect(notes.join("\n")).toMatch(/^Plan: about/m);
});

it("holds variants to made-up inputs where that is asked for, and calls it neither accuracy nor data", async () => {
  const notes: string[] = [];
  const { bundle, report } = await optimize(mnist, {
    ...quick,
    recipe: "naive-per-tensor",
    synthetic: true,
    output: join(folder, "synthetic.pare"),
    onNote: (line) => notes.push(line),
  });
  const manifest = JSON.parse(await readFile(join(bundle, "manifest.json"), "utf8"));
  expect(manifest.variants).toMatchObject([{ evidence: "synthetic" }]);
  expect(report).toMatchObject({
    variants: [{ evidence: "synthetic", accuracy: { metric: "top1-agreement" } }],
    data: { source: "made-up inputs", calibration: 50, validation: 100, test: 250 },
    nextStep: expect.stringMatching(/50 images in a folder let accuracy be checked/),
  });
  expect(report.checks?.map(({ what }) => what)).not.toContain("accuracy");
  expect(notes.join()).toMatch(/says nothing of accuracy/);
  const markdown = await readFile(join(bundle, "report.md"), "utf8");
  expect(markdown).toMatch(/latency \| agreement/);
  expect(await readFile(join(bundle, "report.html"), "utf8")).toMatch(/latency and agreement/);
});

it.each([
  [{ synthetic: true, data: "x.npz" }, /--synthetic and --data exclude/],
  [{ synthetic: true, frozen: "pare.lock.json" }, /--synthetic and --frozen exclude/],
  [{ goldenFromData: true }, /--golden-from-data needs --data/],
  [{ goldenFromData: true, frozen: "pare.lock.json" }, /--golden-from-data and --frozen exclude/],
])("refuses %o", async (options, message) => {
  await expect(optimize(mnist, options)).rejects.toMatchObject({
    code: "ARGUMENT",
    message: expect.stringMatching(message),
  });
});

it("leaves an earlier bundle of the model until there is something better than the model as it is", async () => {
  const output = join(folder, "again.pare");
  await optimize(mnist, { ...quick, output });
  const made = await readFile(join(output, "manifest.json"), "utf8");
  const stopped = async (): Promise<string> => {
    const stop = new AbortController();
    const onProgress = ({ what }: OptimizeProgress): void => {
      // By then the model as it is was handed over.
      if (what.includes("times to be published")) stop.abort();
    };
    const options = { ...quick, output, signal: stop.signal, onProgress, seed: 7 };
    await expect(optimize(mnist, options)).rejects.toMatchObject({ code: "ABORTED" });
    return readFile(join(output, "manifest.json"), "utf8");
  };
  expect(await stopped()).toBe(made);
  const ofAnother = made.replace(
    /("source":[^}]*"sha256":\s*")[0-9a-f]{64}/,
    `$1${"0".repeat(64)}`,
  );
  expect(ofAnother).not.toBe(made);
  await writeFile(join(output, "manifest.json"), ofAnother);
  expect(await stopped()).not.toBe(ofAnother);
});

it("writes nothing anew of what a run before it left there, and all of it where some is gone", async () => {
  const output = join(folder, "left.pare");
  const recipe = join(folder, "left.json");
  await writeFile(recipe, JSON.stringify({ steps: [{ use: "quantize-weights", required: true }] }));
  const stopped = async (): Promise<string> => {
    const stop = new AbortController();
    const onProgress = ({ what }: OptimizeProgress): void => {
      if (what.includes("times to be published")) stop.abort();
    };
    const options = { ...quick, recipe, output, signal: stop.signal, onProgress };
    await expect(optimize(mnist, options)).rejects.toMatchObject({ code: "ABORTED" });
    return readFile(join(output, "report.json"), "utf8");
  };
  const left = await stopped();
  expect(JSON.parse(left)).toMatchObject({ variants: [{ precision: "int8-weights" }] });
  expect(await stopped()).toBe(left);
  const [file = ""] = await readdir(join(output, "variants"));
  await rm(join(output, "variants", file));
  expect(await stopped()).not.toBe(left);
  expect(await readdir(join(output, "variants"))).toContain(file);
});

it("says of an integer file for the CPU engine for which processors it was timed", async () => {
  const data = join(folder, "noise.mjs");
  await writeFile(
    data,
    `let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    export const samples = Array.from({ length: 40 }, () => ({ feeds: { x: Float32Array.from({ length: 784 }, random) } }));`,
  );
  const recipe = join(folder, "integers.json");
  const step = { use: "quantize-dynamic", required: true };
  await writeFile(recipe, JSON.stringify({ steps: [step] }));
  const output = join(folder, "integers.pare");
  const { report } = await optimize(mnist, { ...quick, recipe, data, maxDrop: 1, output });
  expect(report.environment).toHaveProperty("products of 8 bits");
  expect(report.variants).toMatchObject([
    {
      precision: "int8-dynamic",
      restsOn: expect.stringMatching(/x64 with(out)? VNNI.*seven bits/),
    },
  ]);
});

it("tells as the schema says what each step did, what was cut and what was learned, and shows it", async () => {
  const data = join(folder, "labelled-noise.mjs");
  await writeFile(
    data,
    `let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    export const samples = Array.from({ length: 60 }, (_, label) => ({ feeds: { x: Float32Array.from({ length: 784 }, random) }, label: label % 10 }));`,
  );
  const recipe = join(folder, "taught.json");
  const together = [
    { use: "prune", with: { keepFlops: 0.5 } },
    { use: "distill", with: { epochs: 2, batch: 8 } },
  ];
  await writeFile(recipe, JSON.stringify({ steps: ["simplify", { together, required: true }] }));
  const output = join(folder, "taught.pare");
  await optimize(mnist, { ...quick, recipe, data, maxDrop: 1, output });
  const read = (file: string): Promise<string> => readFile(join(output, file), "utf8");
  const report: Report = JSON.parse(await read("report.json"));
  const schema = await readFile(
    new URL("../../../../bench/schema/report.schema.json", import.meta.url),
    "utf8",
  );
  expect(findFault(report, JSON.parse(schema.replaceAll("definitions", "$defs")))).toBeNull();
  const [, pruned, taught] = report.variants[0]?.shares ?? [];
  expect(pruned).toMatchObject({ use: "prune", account: { kind: "pruning", keep: 0.5 } });
  expect(taught).toMatchObject({
    use: "distill",
    tookMs: expect.any(Number),
    account: { kind: "training", learnedFrom: ["labels", "teacher"], epochCount: 2 },
  });
  for (const page of [await read("report.html"), await read("report.md")])
    for (const shown of ["What was cut", "What was learned", "/0/Conv"])
      expect(page).toContain(shown);
});

it.each([
  ["quantize-aware", ["simplify", "quantize-aware"]],
  ["smaller", ["simplify", "prune", "distill", "quantize-aware"]],
])("trains with rounding by the recipe %s, and writes weights of 4 bits", async (recipe, uses) => {
  const data = join(folder, "few-digits.mjs");
  const digits = new URL("../../../../fixtures/data/mnist-training.mjs", import.meta.url).href;
  await writeFile(data, someSamples(digits, 40));
  const output = join(folder, `${recipe}.pare`);
  // Whether it is faster is no matter here: it is smaller.
  const wish = { target: ["cpu"], prefer: "size", maxDrop: 1, timeBudgetMs: 60_000 } as const;
  const { report } = await optimize(mnist, { ...wish, recipe, data, output });
  const [variant] = report.variants;
  const { shares = [], sizeBytes, precision, baseline } = variant ?? {};
  expect(shares.map(({ use }) => use)).toEqual(uses);
  expect(shares.at(-1)?.account).toMatchObject({ kind: "training" });
  expect(precision).toBe("int8");
  expect(sizeBytes?.raw).toBeLessThan((baseline?.sizeBytes.raw ?? 0) / 5);
});

it("can be stopped, and leaves nothing half-written", async () => {
  const stop = new AbortController();
  const output = join(folder, "stopped.pare");
  const before = children();
  let meanwhile: readonly string[] = [];
  const running = optimize(mnist, {
    ...quick,
    output,
    signal: stop.signal,
    onProgress() {
      meanwhile = children(before);
      stop.abort(new Error("enough"));
    },
  });
  await expect(running).rejects.toMatchObject({ name: "PareError", code: "ABORTED" });
  if (process.platform === "linux") expect(meanwhile).not.toEqual([]);
  expect(children(before)).toEqual([]);
  expect(await readdir(folder)).not.toContain("stopped.pare.lock");
  const left = await readdir(output).catch(() => []);
  expect(left.filter((name) => name.includes("pare-tmp"))).toEqual([]);
  const signal = AbortSignal.abort();
  await expect(optimize(mnist, { ...quick, output, signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
});

describe("what is wrong", () => {
  /** As a program without types might. */
  const untyped = (json: string): OptimizeCall => JSON.parse(json);
  it.each<readonly [string, string, OptimizeCall, string]>([
    ["a model that is not there", "absent.onnx", {}, "MODEL_NOT_FOUND"],
    ["a drop that is none", mnist, { maxDrop: Number.NaN, data: "d.npz" }, "ARGUMENT"],
    ["a drop without data", mnist, { maxDrop: 0.1 }, "ARGUMENT"],
    ["a budget of no time", mnist, { timeBudgetMs: 0 }, "ARGUMENT"],
    ["a size that is none", mnist, { maxSizeBytes: -1 }, "ARGUMENT"],
    ["several sizes of which one is none", mnist, { dims: { N: [160, -1] } }, "ARGUMENT"],
    ["several sizes of which one is half", mnist, { dims: { N: [160.5, 320] } }, "ARGUMENT"],
    ["one size that is none", mnist, { dims: { N: -1 } }, "ARGUMENT"],
    ["half a seed", mnist, { seed: 0.5 }, "ARGUMENT"],
    ["another preference", mnist, untyped('{ "prefer": "speed" }'), "ARGUMENT"],
    ["no target", mnist, untyped('{ "target": ["gpu"] }'), "ARGUMENT"],
    ["a target by itself", mnist, untyped('{ "target": "cpu" }'), "ARGUMENT"],
    ["no targets", mnist, { target: [] }, "ARGUMENT"],
    ["another option", mnist, untyped('{ "maxdrop": 0.1 }'), "ARGUMENT"],
    ["no recipe", mnist, { recipe: "magic" }, "RECIPE"],
    ["an input that is not there", mnist, { shapes: { y: [1] } }, "ARGUMENT"],
    ["data that is not there", mnist, { target: ["cpu"], data: "absent.npz" }, "DATA_NOT_FOUND"],
    ["no lock", mnist, { frozen: "absent.json" }, "LOCK"],
  ])("%s is a PareError", async (_, model, call, code) => {
    const error: unknown = await optimize(model, { output: join(folder, "none"), ...call }).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(isPareError(error) && error.code).toBe(code);
    expect(await readdir(folder)).not.toContain("none");
  });
});

it("leaves what an earlier run tested where it is stopped before it has tested its own", async () => {
  const digits = new URL("../../../../fixtures/data/mnist.mjs", import.meta.url).href;
  const [data, output] = [join(folder, "some.mjs"), join(folder, "again.pare")];
  await writeFile(data, someSamples(digits, 20));
  const wish = { target: ["cpu"], prefer: "size", maxDrop: 1, data, output } as const;
  await optimize(mnist, { ...wish, timeBudgetMs: 60_000 });
  const manifest = () => readFile(join(output, "manifest.json"), "utf8");
  const before = await manifest();
  const stop = new AbortController();
  const notes: string[] = [];
  const again = optimize(mnist, {
    ...wish,
    cache: false,
    signal: stop.signal,
    onNote: (line) => notes.push(line),
    onProgress({ what }) {
      if (/test samples.*best: cpu int8/.test(what)) stop.abort();
    },
  });
  await expect(again).rejects.toMatchObject({ code: "ABORTED" });
  expect(notes.at(-1)).toMatch(/holds what an earlier run found: cpu-int8/);
  expect(await manifest()).toBe(before);
});
