import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ValueInfo } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModuleOptions } from "./module-process.js";
import { type OpenData, openData } from "./open-data.js";

const x: ValueInfo = { name: "x", type: "float32", dims: ["N", 2] };
let folder = "";
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-module-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function open(
  source: string,
  options: ModuleOptions & { readonly inputs?: readonly ValueInfo[] } = {},
): Promise<OpenData> {
  const path = join(folder, `data-${count++}.mjs`);
  await writeFile(path, source);
  return openData(path, { inputs: [x], seed: 0, onPrint: () => {}, ...options });
}

async function use<T>(data: Promise<OpenData>, work: (data: OpenData) => Promise<T>): Promise<T> {
  const opened = await data;
  try {
    return await work(opened);
  } finally {
    await opened.dispose();
  }
}

const good = "{ feeds: { x: Float32Array.of(1, 2) } }";

describe("a data module", () => {
  it("gives samples, complete and by index", async () => {
    const source = `
      console.log("this goes elsewhere");
      class Tensor { get data() { return Float32Array.of(3, 4) } type = "float32"; dims = new Int32Array([1, 2]) }
      export async function* samples() {
        yield { feeds: { x: Float32Array.of(1, 2) }, label: 1n, id: "first", group: "g" };
        yield { feeds: { x: new Tensor() }, label: { boxes: [1] } };
      }`;
    await use(open(source), async ({ samples, splits }) => {
      expect(await samples.sample(0)).toEqual({
        id: "first",
        group: "g",
        label: 1n,
        feeds: { x: { type: "float32", dims: [1, 2], data: Float32Array.of(1, 2) } },
      });
      expect(await samples.sample(1)).toMatchObject({
        id: "1",
        group: null,
        label: { boxes: [1] },
        feeds: { x: { data: Float32Array.of(3, 4) } },
      });
      expect(await samples.info(0)).toEqual({ id: "first", group: "g", label: 1n });
      expect(await samples.info(1)).toMatchObject({ id: "1", label: { boxes: [1] } });
      expect(samples.labelled).toBe(true);
      expect(splits.test.length + splits.validation.length).toBe(2);
    });
  });

  it("says how many samples hold NaN or infinity, and which is the first", async () => {
    const source = (third: string) => `
      export function* samples() {
        for (let at = 0; at < 40; at++)
          yield { feeds: { x: Float32Array.of(at, at === 2 ? ${third} : 1) }, id: "s" + at };
        yield { feeds: { x: { type: "float32", dims: [1, 2], data: Float32Array.of(${third}, 0) } } };
      }`;
    const said = (third: string, type: ValueInfo["type"] = "float32") =>
      use(open(source(third), { inputs: [{ ...x, type }] }), async ({ caveat }) => caveat);
    expect(await said("1")).toBeNull();
    expect(await said("NaN")).toMatch(/^2 of 41 samples hold NaN or infinity, first "s2":/);
    expect(await said("-Infinity", "float64")).toMatch(/^2 of 41 samples hold/);
    // Beyond what halves hold.
    expect(await said("1e6", "float16")).toMatch(/^2 of 41 samples hold/);
  });

  it("gives the steps of sequences, each after the one before it, from a state of zeros", async () => {
    const source = `
      const step = (value) => ({ feeds: { x: Float32Array.of(value, value) }, label: value });
      export const state = { next: "h" };
      export const splits = { calibration: ["1"], validation: ["second"], test: ["3"] };
      export function* samples() {
        yield step(0);
        yield { steps: [step(1), step(2), step(3)] };
        yield { id: "second", group: "g", steps: [step(5), { feeds: { ...step(2).feeds, h: Float32Array.of(9) }, label: 2 }] };
        yield { steps: [step(2)] };
      }`;
    const h: ValueInfo = { name: "h", type: "float32", dims: ["batch", 1] };
    await use(open(source, { inputs: [x, h] }), async ({ samples, splits }) => {
      const all = await Promise.all(samples.entries.map((_, index) => samples.sample(index)));
      expect(all.map(({ id, group, label }) => [id, group, label])).toEqual([
        ["0", null, 0],
        ["1/0", "sequence 1", 1],
        ["1/1", "sequence 1", 2],
        ["1/2", "sequence 1", 3],
        ["second/0", "g", 5],
        ["second/1", "g", 2],
        ["3/0", "sequence 3", 2],
      ]);
      expect(all.map(({ feeds }) => feeds["h"]?.data[0])).toEqual([0, 0, 0, 0, 0, 9, 0]);
      expect(all[0]?.feeds["h"]?.dims).toEqual([1, 1]);
      expect(samples.sequences?.state).toEqual({ next: "h" });
      expect(all.map((_, index) => samples.sequences?.startOf(index))).toEqual([
        0, 1, 1, 1, 4, 4, 6,
      ]);
      expect(splits).toMatchObject({ calibration: [1, 2, 3], validation: [4, 5], test: [6] });
      // Both are fed alike, but not after the same steps.
      const digests = samples.entries.map(({ digest }) => digest);
      expect(digests[6]).not.toBe(digests[2]);
    });
  });

  it("predicts, scores and reduces in its own process, with the sample as it gave it", async () => {
    const source = `
      export const samples = [{ feeds: { x: Float32Array.of(1, 2) }, label: 5, anchor: 7 }];
      export const predict = async (outputs, { feeds, label, anchor }) => feeds.x[1] * outputs.y.data[0] + label + anchor;
      export const score = (outputs, sample, float) => ({ same: outputs.y.data[0] - float.y.data[0] });
      export const metric = { name: "sum", direction: "lower", reduce: (p, l) => p.reduce((a, b) => a + b, 0) + l.length };`;
    await use(open(source), async ({ samples, hooks }) => {
      const sample = await samples.sample(0);
      const outputs = { y: { type: "float32", dims: [1], data: Float32Array.of(10) } } as const;
      expect(await hooks.predict?.(outputs, sample)).toBe(32);
      expect(await hooks.score?.(outputs, sample, outputs)).toEqual({ same: 0 });
      expect(hooks.metric).toMatchObject({ name: "sum", direction: "lower" });
      expect(
        await hooks.metric?.reduce([1, 2, 3], [0, 0, 0], [[0, 1], Uint32Array.of(2, 2, 2)]),
      ).toEqual([5, 12]);
    });
  });

  it("may hold a library that tells a parent that it is ready", async () => {
    const source = `
      for (const message of [null, "ready", { id: 1, ok: true, value: null }]) process.send?.(message);
      export const samples = [${good}];`;
    await use(open(source), async ({ samples }) => expect(samples.size).toBe(1));
  });

  it("is not waited for where what it started holds its output", async () => {
    const source = `
      import { spawn } from "node:child_process";
      spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: ["ignore", "inherit", "inherit"] });
      export const samples = [];
      setTimeout(() => process.exit(7), 300);
      await new Promise(() => {});`;
    const began = performance.now();
    await expect(open(source)).rejects.toThrow(/exit code 7/);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("reads a label with its sample where it is too large to be held", async () => {
    const source = `export const samples = [{ feeds: { x: Float32Array.of(1, 2) }, label: new Float64Array(4000).fill(2) }];`;
    await use(open(source), async ({ samples }) => {
      expect((await samples.info(0)).label).toEqual(new Float64Array(4000).fill(2));
    });
  });

  it("streams many samples without holding them", async () => {
    const source = `export function* samples() { for (let i = 0; i < 3000; i++) yield { feeds: { x: Float32Array.of(i, i + 1) } } }`;
    await use(open(source), async ({ samples }) => {
      expect(samples.size).toBe(3000);
      expect((await samples.sample(2999)).feeds["x"]?.data).toEqual(Float32Array.of(2999, 3000));
    });
  });

  it.each([
    [
      "throws when loaded",
      `throw new TypeError("no tokenizer")`,
      /TypeError: no tokenizer/,
      /data-\d+\.mjs:1:\d+/,
    ],
    ["does not parse", `export const samples = [;`, /SyntaxError/, /data-\d+\.mjs:1/],
    [
      "imports what is not there",
      `import "not-installed"; export const samples = [];`,
      /Cannot find package 'not-installed'/,
      /data-/,
    ],
    [
      "throws between samples",
      `export function* samples() {\n yield ${good};\n throw new Error("line 3") }`,
      /Error: line 3/,
      /data-\d+\.mjs:3:\d+/,
    ],
    [
      "exits",
      `export const samples = [];\nprocess.exit(7)`,
      /ended its process, with exit code 7/,
      /data-/,
    ],
    [
      "exits between samples",
      `export function* samples() { yield ${good}; console.error("last words"); process.exit(0) }`,
      /exit code 0\.[^]*last words/,
      /data-/,
    ],
    [
      "throws later, where nobody catches it",
      `export async function* samples() {\n setTimeout(() => { throw new Error("too late") }, 10);\n await new Promise((resolve) => setTimeout(resolve, 60_000)) }`,
      /exit code 1\.[^]*Error: too late$/,
      /data-/,
    ],
    [
      "is killed",
      `process.kill(process.pid, "SIGKILL"); export const samples = [];`,
      /by the signal SIGKILL/,
      /data-/,
    ],
    ["exports no samples", `export const sample = [];`, /does not export `samples`/, /data-/],
    [
      "exports a state of two outputs for one input",
      `export const samples = [${good}]; export const state = { a: "x", b: "x" };`,
      /`state` is not usable/,
      /data-/,
    ],
    [
      "exports a state that is no input",
      `export const samples = [${good}]; export const state = { a: "h" };`,
      /`state` names the input "h", which the model does not have/,
      /state/,
    ],
    [
      "exports something else",
      `export const samples = 5;`,
      /a number, not something that can be iterated/,
      /data-/,
    ],
    [
      "exports a one-shot iterator",
      `function* g() { yield ${good} }\nexport const samples = g();`,
      /read once only/,
      /data-/,
    ],
    [
      "returns the same iterator twice",
      `function* g() { yield ${good} }\nconst one = g(); export const samples = () => one;`,
      /read once only/,
      /data-/,
    ],
    ["yields no sample", `export const samples = [${good}, null];`, /Sample 1 is null/, /data-/],
    ["yields no feeds", `export const samples = [{ x: 1 }];`, /Sample 0 has no `feeds`/, /data-/],
    [
      "yields arrays of numbers",
      `export const samples = [{ feeds: { x: [1, 2] } }];`,
      /Sample 0, feed "x" is an array, not a tensor/,
      /data-/,
    ],
    [
      "yields a sequence without steps",
      `export const samples = [{ steps: [] }];`,
      /Sequence 0 has no steps/,
      /data-/,
    ],
    [
      "yields a step that is no sample",
      `export const samples = [{ steps: [${good}, 5] }];`,
      /Sequence 0, step 1 is a number, not \{ feeds/,
      /data-/,
    ],
    [
      "yields what cannot be stored",
      `export const samples = [{ ...${good}, label: () => 1 }];`,
      /Sample "0" holds what cannot be stored/,
      /data-/,
    ],
    [
      "throws an error that has a code of ours",
      `export function* samples() {
        throw Object.assign(new Error("mine"), { name: "PareError", code: "NO_SPACE" });
      }`,
      /PareError: mine/,
      /data-/,
    ],
    [
      "exports a hook that is none",
      `export const samples = [${good}]; export const predict = 3;`,
      /`predict` is a number, not a function/,
      /data-/,
    ],
    [
      "exports a metric without a direction",
      `export const samples = [${good}]; export const metric = { name: "m", reduce() {} };`,
      /`metric` is not usable/,
      /data-/,
    ],
  ])("that %s is a DATA_MODULE error with its own words", async (_, source, message, where) => {
    await expect(open(source)).rejects.toMatchObject({
      code: "DATA_MODULE",
      message: expect.stringMatching(message),
      where: expect.stringMatching(where),
    });
  });

  // Loading takes less than the first two have for a sample, also beside other tests.
  it.concurrent.each([
    [
      "never yields",
      `export async function* samples() { await new Promise(() => {}) }\nsetInterval(() => {}, 1000)`,
      5000,
      /took more than 5 s to give a sample/,
    ],
    [
      "loops for ever",
      `export function* samples() { for (;;); }`,
      5000,
      /took more than 5 s to give a sample/,
    ],
    [
      "loops while loading",
      `for (;;);\nexport const samples = [];`,
      500,
      /took more than 0.5 s to load/,
    ],
  ])("that %s is given up", async (_, source, patienceMs, message) => {
    await expect(open(source, { patienceMs })).rejects.toMatchObject({
      code: "DATA_MODULE",
      message: expect.stringMatching(message),
    });
  });

  it("that never ends is given up", async () => {
    const source = `export function* samples() { for (;;) yield ${good} }`;
    await expect(open(source, { mostSamples: 1000 })).rejects.toMatchObject({
      code: "DATA_MODULE",
      message: expect.stringContaining("more than 1000 samples"),
    });
  });

  it("ends when the work is cancelled", async () => {
    const stop = new AbortController();
    const opening = open(
      `export async function* samples() { await new Promise(() => {}) }\nsetInterval(() => {}, 1000)`,
      { signal: stop.signal },
    );
    setTimeout(() => stop.abort(), 300);
    await expect(opening).rejects.toMatchObject({ code: "ABORTED" });
  });

  it.each([
    [
      "another input",
      `{ feeds: { y: Float32Array.of(1) } }`,
      /Sample "0" .*Input "x" \(float32 \[N, 2\]\) is missing/,
    ],
    [
      "another type",
      `{ feeds: { x: { type: "int64", dims: [1, 2], data: BigInt64Array.of(1n, 2n) } }, id: "me" }`,
      /Sample "me" .*float32 \[N, 2\], but got int64/,
    ],
    [
      "other dims",
      `{ feeds: { x: { type: "float32", dims: [1, 3], data: new Float32Array(3) } } }`,
      /got dims \[1, 3\]/,
    ],
    [
      "a bare array that does not come out even",
      `{ feeds: { x: new Float32Array(3) } }`,
      /free dims/,
    ],
    [
      "another array",
      `{ feeds: { x: { type: "float32", dims: [1, 2], data: new Float64Array(2) } } }`,
      /Float64Array/,
    ],
  ])("refuses samples with %s", async (_, sample, message) => {
    await expect(open(`export const samples = [${sample}];`)).rejects.toMatchObject({
      code: "DATA_MISMATCH",
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ["no samples", `export const samples = [];`, /holds no samples/],
    [
      "an id twice",
      `export const samples = [{ ...${good}, id: "a" }, { ...${good}, id: "a" }];`,
      /the id "a"/,
    ],
    [
      "labels for some",
      `export const samples = [{ ...${good}, label: 1 }, ${good}];`,
      /Only 1 of the 2/,
    ],
  ])("refuses %s", async (_, source, message) => {
    await expect(open(source)).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(message),
    });
  });
});
