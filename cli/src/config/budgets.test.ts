import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportRow } from "@pare/runtime/format";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { budgetChecks, configName, configSchema, loadBudgets } from "./budgets.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-budgets-"));
});
beforeEach(() => void vi.spyOn(process, "cwd").mockReturnValue(folder));
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function config(content: unknown): Promise<void> {
  await writeFile(
    join(folder, configName),
    typeof content === "string" ? content : JSON.stringify(content),
  );
}

const noted: string[] = [];
beforeEach(() => void noted.splice(0));
const quiet = { hasAccuracy: true, note: (text: string) => void noted.push(text) };

describe("pare.config.json", () => {
  it("is taken by path or by name, flags before targets before models", async () => {
    await config({
      models: {
        "models/kws.onnx": {
          maxSize: "500kB",
          maxDrop: 0.02,
          targets: { wasm: { maxLatency: "8ms", maxSize: 9 } },
        },
        other: { maxDrop: 0.5 },
      },
    });
    const budgets = await loadBudgets(
      join(folder, "models/kws.onnx"),
      "kws",
      { maxDrop: 0.1 },
      quiet,
    );
    expect(budgets("cpu")).toEqual({
      maxDrop: 0.1,
      maxSizeBytes: 500_000,
      maxLatencyMs: undefined,
    });
    expect(budgets("wasm")).toEqual({ maxDrop: 0.1, maxSizeBytes: 9, maxLatencyMs: 8 });
    expect((await loadBudgets("x.onnx", "other", {}, quiet))(null).maxDrop).toBe(0.5);
    expect((await loadBudgets("x.onnx", "x", {}, quiet))("cpu").maxDrop).toBeUndefined();
  });

  it("is taken from beside the model, too, where the one in the current folder does not name it", async () => {
    await config({ models: { other: { maxDrop: 0.5 } } });
    const beside = join(folder, "elsewhere");
    await mkdir(beside);
    const own = { models: { "kws.onnx": { maxDrop: 0.2 } } };
    await writeFile(join(beside, configName), JSON.stringify(own));
    const model = join(beside, "kws.onnx");
    expect((await loadBudgets(model, "kws", {}, quiet))("cpu").maxDrop).toBe(0.2);
    await config({ models: { kws: { maxDrop: 0.3 } } });
    expect((await loadBudgets(model, "kws", {}, quiet))("cpu").maxDrop).toBe(0.3);
  });

  it("is taken by the file's name, wherever that lies, and says where it names no such model", async () => {
    await config({ models: { "kws.onnx": { maxDrop: 0.2 } } });
    const away = "/somewhere/else/kws.onnx";
    expect((await loadBudgets(away, "kws", {}, quiet))("cpu").maxDrop).toBe(0.2);
    expect(noted).toEqual([]);
    expect((await loadBudgets("other.onnx", "other", {}, quiet))("cpu")).toEqual({});
    expect(noted).toEqual([
      `${join(folder, configName)} has no budget for other.onnx: it names "kws.onnx".`,
    ]);
  });

  it("is taken by the path of one of several models with one name, whichever comes first", async () => {
    await config({ models: { "model.onnx": { maxDrop: 0.1 }, "b/model.onnx": { maxDrop: 0.2 } } });
    const dropOf = async (path: string) =>
      (await loadBudgets(join(folder, path), "b", {}, quiet))("cpu").maxDrop;
    expect(await dropOf("b/model.onnx")).toBe(0.2);
    expect(await dropOf("model.onnx")).toBe(0.1);
    expect(await dropOf("c/model.onnx")).toBe(0.1);
  });

  it("says that a drop is not checked where there is no accuracy", async () => {
    await config({ models: { kws: { targets: { cpu: { maxDrop: 0.2 } } } } });
    await loadBudgets("kws.onnx", "kws", {}, quiet);
    expect(noted).toEqual([]);
    await loadBudgets("kws.onnx", "kws", {}, { ...quiet, hasAccuracy: false });
    expect(noted).toEqual([expect.stringMatching(/maxDrop of .* is not checked: without --data/)]);
  });

  it.each([
    ["a misspelt limit", { models: { a: { maxDrops: 1 } } }, /models\.a\.maxDrops is not a field/],
    ["another type", { models: { a: { maxDrop: "1" } } }, /models\.a\.maxDrop must be a number/],
    [
      "an unknown target",
      { models: { a: { targets: { gpu: {} } } } },
      /models\.a\.targets\.gpu is not a field/,
    ],
    ["no JSON", "{", /is not JSON/],
    ["a size that is none", { models: { a: { maxSize: "big" } } }, /"big", which is no size/],
  ])("with %s is refused", async (_, content, message) => {
    await config(content);
    const load = async () => (await loadBudgets("a.onnx", "a", {}, quiet))(null);
    await expect(load()).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(message),
    });
  });

  it("says which fields there are, of a field that is none", async () => {
    await config({ models: {}, limits: {} });
    await expect(loadBudgets("a.onnx", "a", {}, quiet)).rejects.toMatchObject({
      hint: expect.stringContaining("of each maxDrop, maxSize, maxLatency, and for one target"),
    });
  });

  it("has a published schema", async () => {
    const published = await readFile(
      new URL("../../schema/pare.config.schema.json", import.meta.url),
      "utf8",
    );
    expect(JSON.parse(published)).toEqual(configSchema);
  });
});

describe("budgetChecks", () => {
  const row: ReportRow = {
    name: "cpu-int8",
    target: "cpu",
    engine: "e",
    evidence: "labelled",
    parameters: 1,
    macs: 1,
    parity: null,
    memoryBytes: null,
    startupMs: null,
    sizeBytes: { raw: 1000, gzip: 900, brotli: 800 },
    latencyMs: { unmeasured: "a software GPU" },
    accuracy: {
      metric: "top1",
      direction: "higher",
      value: 0.9,
      interval: [0.8, 1],
      n: 10,
      drop: 0.05,
      dropInterval: [0, 0.1],
      flips: null,
      measuredOn: "cpu",
    },
  };
  it("says of an error that it rises", () => {
    const accuracy = row.accuracy && {
      ...row.accuracy,
      metric: "mse",
      direction: "lower" as const,
    };
    expect(budgetChecks({ ...row, accuracy }, { maxDrop: 0 })).toMatchObject([
      { outcome: "missed", reason: expect.stringMatching(/^mse rises by 0\.05/) },
    ]);
  });

  it("passes, misses, and says what cannot be decided", () => {
    const outcomes = (budget: Parameters<typeof budgetChecks>[1]) =>
      budgetChecks(row, budget).map(({ what, outcome }) => [what, outcome]);
    expect(outcomes({})).toEqual([]);
    expect(outcomes({ maxSizeBytes: 1000, maxLatencyMs: 1, maxDrop: 0.05 })).toEqual([
      ["size", "passed"],
      ["latency", "inconclusive"],
      ["accuracy", "passed"],
    ]);
    expect(outcomes({ maxSizeBytes: 999, maxDrop: 0.04 })).toEqual([
      ["size", "missed"],
      ["accuracy", "missed"],
    ]);
    // One of a hundred is allowed by the rule of choice, and by the check of what was chosen.
    const drop = 0.96 - 0.95;
    expect(drop).toBeGreaterThan(0.01);
    const one = { ...row, accuracy: row.accuracy && { ...row.accuracy, drop } };
    expect(budgetChecks(one, { maxDrop: 0.01 })[0]?.outcome).toBe("passed");
  });
});
