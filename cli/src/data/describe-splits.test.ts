import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportSplits } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSplits, mostIds } from "./describe-splits.js";
import { openData } from "./open-data.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-splits-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Line {
  readonly x: readonly number[];
  readonly label: unknown;
}

async function describedOf(lines: readonly Line[]): Promise<ReportSplits> {
  const path = join(folder, "data.jsonl");
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const data = await openData(path, {
    inputs: [{ name: "x", type: "float32", dims: [1, 2] }],
    seed: 0,
  });
  try {
    return await describeSplits(data);
  } finally {
    await data.dispose();
  }
}

const names = ["calibration", "validation", "test"] as const;

describe("which samples are in which split", () => {
  const lines = (count: number): readonly Line[] =>
    Array.from({ length: count }, (_, index) => ({ x: [index, 1], label: 0 }));

  it("is told by their ids", async () => {
    const described = await describedOf(lines(20));
    const ids = names.flatMap((name) => described[name].ids ?? []);
    expect(ids.map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
    expect(described.test.ids).toHaveLength(14);
    expect(described.rule).toMatch(/seed 0.* 10 %.*20 %.*70 %/);
  });

  it("is told by their hash and the rule where they are many", async () => {
    const described = await describedOf(lines(mostIds + 1));
    for (const name of names)
      expect(described[name]).toEqual({
        ids: null,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
  });

  it("is as the data says where it does", async () => {
    const path = join(folder, "splits.mjs");
    await writeFile(
      path,
      `export const samples = ["a", "b", "c"].map((id, at) => ({ id, feeds: { x: Float32Array.of(at, 1) } }));
       export const splits = { calibration: ["c"], validation: ["a"], test: ["b"] };`,
    );
    const inputs = [{ name: "x", type: "float32", dims: [1, 2] }] as const;
    const data = await openData(path, { inputs, seed: 0 });
    try {
      expect(await describeSplits(data)).toMatchObject({
        rule: "As the data names them.",
        calibration: { ids: ["c"] },
        validation: { ids: ["a"] },
        test: { ids: ["b"] },
      });
    } finally {
      await data.dispose();
    }
  });
});

describe("the splits' hashes", () => {
  const lines: readonly Line[] = Array.from({ length: 20 }, (_, index) => ({
    x: [index, 1],
    label: index % 2,
  }));
  const differences = async (change: Partial<Line>): Promise<number> => {
    const before = await describedOf(lines);
    const after = await describedOf(
      lines.map((line, index) => (index === 0 ? { ...line, ...change } : line)),
    );
    return names.filter((name) => before[name].sha256 !== after[name].sha256).length;
  };

  it("are the same for the same samples", async () => {
    expect(await differences({})).toBe(0);
  });

  it("tell what a sample holds, and not only its id", async () => {
    expect(await differences({ x: [0, 1.5] })).toBe(1);
  });

  it.each([[1], ["0"], [[0]], [{ box: [1, 2] }]])("tell its label from %j", async (label) => {
    expect(await differences({ label })).toBe(1);
  });
});
