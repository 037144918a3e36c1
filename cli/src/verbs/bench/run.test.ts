import { mkdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import { isPareError, type Report } from "@pare/runtime/format";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { VerbContext } from "../../terminal/verb.js";
import { type BenchOptions, runBench } from "./run.js";

let folder = "";
const file = (name: string): string => join(folder, name);

/** One operator on two numbers. */
async function model(name: string, op: string, input = "x"): Promise<string> {
  const text = `graph main opset 21 (${input}: float32[2]) -> (y) {\n  %1 = ${op}(${input}) : float32[2]\n  return %1\n}\n`;
  await writeFile(file(name), (await encodeModel(parseGraph(text))).proto);
  return file(name);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-bench-"));
});
beforeEach(() => vi.stubEnv("GITHUB_STEP_SUMMARY", ""));
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

interface Benched {
  readonly code: number;
  readonly text: string;
  readonly report: Report;
  readonly notes: readonly string[];
  /** What went wrong after the result was said. */
  readonly failure: unknown;
}

async function benched(
  models: readonly [string, ...string[]],
  more: Partial<BenchOptions> = {},
  onResult: () => void = () => {},
): Promise<Benched> {
  let code = 0;
  const said: { text: string; report: Report }[] = [];
  const notes: string[] = [];
  const context: VerbContext = {
    signal: new AbortController().signal,
    typed: "pare bench",
    exit: (wanted) => void (code = wanted),
    output: () => ({
      verbose: false,
      result(text, document) {
        said.push({ text, report: document as Report });
        onResult();
      },
      note: (line) => void notes.push(line),
      detail() {},
      progress() {},
      settle() {},
    }),
  };
  const [first, ...others] = models;
  const options = { gate: true, target: ["cpu"], seed: 0, ...more };
  const failure: unknown = await runBench(first, others, options, context).then(
    () => null,
    (error: unknown) => error,
  );
  const [result] = said;
  if (result === undefined) throw failure;
  return { code, ...result, notes, failure };
}

it("misses a gate that could compare nothing, because no engine runs the baseline", async () => {
  const models = [await model("unknown.onnx", "Mystery"), await model("new.onnx", "Neg")] as const;
  const junit = file("gate.xml");
  const { code, text, report } = await benched(models, { report: [["junit", junit]] });
  const why = /The baseline cannot be measured: .*Mystery/s;
  expect(code).toBe(3);
  expect(report.variants).toEqual([]);
  expect(report.checks).toMatchObject([
    {
      target: "cpu",
      name: expect.stringMatching(/unknown\.onnx$/),
      what: "loads",
      outcome: "missed",
      reason: expect.stringMatching(why),
    },
  ]);
  expect(text).toMatch(/^missed: cpu, loads: The baseline/m);
  expect(await readFile(junit, "utf8")).toMatch(/failures="1"/);
  expect((await benched(models, { gate: false })).code).toBe(0);
});

it("holds the candidate to what its own path is allowed, and not the baseline's", async () => {
  const models = [await model("old.onnx", "Neg"), await model("new.onnx", "Neg")] as const;
  const allowed = { "new.onnx": { maxSize: 1 }, "old.onnx": { maxSize: "1MB" } };
  await writeFile(file("pare.config.json"), JSON.stringify({ models: allowed }));
  const { code, report } = await benched(models);
  expect(code).toBe(3);
  expect(report.checks).toContainEqual({
    target: "cpu",
    name: expect.stringMatching(/new\.onnx$/),
    what: "size",
    outcome: "missed",
    reason: expect.stringMatching(/ 1 B are allowed\.$/),
  });
});

it("holds each of several candidates to what its own path is allowed", async () => {
  const models = [
    await model("old.onnx", "Neg"),
    await model("wide.onnx", "Neg"),
    await model("tight.onnx", "Neg"),
  ] as const;
  const allowed = { "wide.onnx": { maxSize: "1MB" }, "tight.onnx": { maxSize: 1 } };
  await writeFile(file("pare.config.json"), JSON.stringify({ models: allowed }));
  const { code, report, text } = await benched(models);
  const held = report.checks?.filter(({ reason }) => reason.endsWith(" are allowed."));
  expect(code).toBe(3);
  expect(text).toMatch(/^missed: \S*tight\.onnx, cpu, size: /m);
  expect(held).toMatchObject([
    { name: expect.stringMatching(/wide\.onnx$/), outcome: "passed" },
    { name: expect.stringMatching(/tight\.onnx$/), outcome: "missed" },
  ]);
});

it("compares no models that take different inputs", async () => {
  const models = [await model("old.onnx", "Neg"), await model("other.onnx", "Neg", "z")] as const;
  await expect(benched(models)).rejects.toMatchObject({
    code: "ARGUMENT",
    message: expect.stringMatching(
      /different inputs: x \(float32\) of .*old\.onnx; z \(float32\) of .*other\.onnx/,
    ),
  });
});

it("says that it holds nothing to a budget without --gate", async () => {
  const models = [await model("old.onnx", "Neg"), await model("new.onnx", "Neg")] as const;
  const budget = { maxSize: 1, maxLatency: 1 };
  const { code, notes } = await benched(models, { gate: false, ...budget });
  expect(code).toBe(0);
  expect(notes).toContain("Nothing is held to --max-size and --max-latency without --gate.");
  expect((await benched(models, budget)).notes.join()).not.toContain("without --gate");
});

it("says its result and sets its exit code also where a report cannot be written", async () => {
  const models = [await model("unknown.onnx", "Mystery"), await model("new.onnx", "Neg")] as const;
  const [html, junit] = [file("taken.html"), file("kept.xml")];
  vi.stubEnv("GITHUB_STEP_SUMMARY", folder);
  const report = [
    ["html", html],
    ["junit", junit],
  ] as const;
  const { code, text, notes, failure } = await benched(models, { report }, () => mkdirSync(html));
  expect(code).toBe(3);
  expect(text).toMatch(/^missed: cpu/m);
  expect(failure).toMatchObject({ code: "ARGUMENT", where: html });
  expect(await readFile(junit, "utf8")).toMatch(/failures="1"/);
  expect(notes.join("\n")).toContain("GITHUB_STEP_SUMMARY");
});

it("refuses a report that cannot be written before anything is opened", async () => {
  const report = [["md", folder]] as const;
  await expect(benched([file("absent.onnx")], { gate: false, report })).rejects.toMatchObject({
    code: "ARGUMENT",
    where: folder,
  });
});

it("refuses a report without a file, as of a variable that is not set", async () => {
  const report = [["md", ""]] as const;
  await expect(benched([file("absent.onnx")], { gate: false, report })).rejects.toMatchObject({
    message: "md= names no file.",
    where: "--report",
  });
});

it("refuses a drop without data, which no gate could hold to", async () => {
  const models = [await model("old.onnx", "Neg"), await model("new.onnx", "Neg")] as const;
  await expect(benched(models, { maxDrop: 0.1 })).rejects.toMatchObject({
    code: "ARGUMENT",
    where: "--max-drop",
  });
});

it("says so where a metric of one's own is 0 for the float model itself, beside which anything passes", async () => {
  const models = [await model("float.onnx", "Neg"), await model("abs.onnx", "Abs")] as const;
  await writeFile(
    file("own.mjs"),
    `export function* samples() {
       for (let at = 0; at < 60; at++) yield { feeds: { x: Float32Array.of(at, 1) }, label: at % 2 };
     }
     export const metric = { name: "accuracy", direction: "higher",
       reduce: (said, labels) => said.filter((each, at) => each === labels[at]).length / labels.length };`,
  );
  const { text, report } = await benched(models, { data: file("own.mjs"), gate: false });
  expect(report.nextStep).toMatch(/^Look at the metric accuracy: it is 0 for the float model/);
  expect(text).toContain(`next: ${report.nextStep}`);
});

it("refuses models whose inputs are of different types, by their names", async () => {
  const half =
    "graph main opset 21 (x: float16[2]) -> (y) {\n  %1 = Neg(x) : float16[2]\n  return %1\n}\n";
  await writeFile(file("half.onnx"), (await encodeModel(parseGraph(half))).proto);
  await expect(benched([await model("single.onnx", "Neg"), file("half.onnx")])).rejects.toThrow(
    /different inputs: x \(float32\) of .*single\.onnx; x \(float16\) of .*half\.onnx/,
  );
});

it("says which of several files is wrong", async () => {
  const good = await model("good.onnx", "Neg");
  await writeFile(file("pointer.onnx"), "version https://git-lfs.github.com/spec/v1\n");
  const whole = await readFile(good);
  await writeFile(file("short.onnx"), whole.subarray(0, whole.length - 8));
  const where = async (bad: string): Promise<unknown> =>
    benched([good, file(bad)]).then(
      () => null,
      (error: unknown) => (isPareError(error) ? error.where : error),
    );
  expect(await where("pointer.onnx")).toMatch(/pointer\.onnx$/);
  expect(await where("short.onnx")).toMatch(/short\.onnx: ModelProto/);
});
