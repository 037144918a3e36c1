import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportSplits } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSplits, mostIds } from "./describe-splits.js";
import { feedsDigest, fieldsDigest, labelDigest } from "./digests.js";
import { openData } from "./open-data.js";
import type { RawSample } from "./raw-sample.js";
import { storeSamples } from "./sample-store.js";
import { writeSamples } from "./sample-writer.js";

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

  const hashesWith = async (extra: RawSample["extra"]): Promise<readonly string[]> => {
    async function* samples(): AsyncGenerator<RawSample> {
      for (const [at, more] of [extra, undefined, undefined].entries()) {
        const x = Float32Array.of(at, 1);
        yield { feeds: { x }, label: at, ...(more !== undefined && { extra: more }) };
      }
    }
    const inputs = [{ name: "x", type: "float32", dims: [1, 2] }] as const;
    const store = await storeSamples(
      (path) => writeSamples(path, { inputs }, samples()),
      3,
      "here",
    );
    const splits = {
      calibration: [0],
      validation: [1],
      test: [2],
      areNamed: false,
      rule: "",
      caveat: null,
    };
    try {
      const described = await describeSplits({ splits, samples: store });
      return names.map((name) => described[name].sha256);
    } finally {
      await store.dispose();
    }
  };

  it("tell the further fields that a module gave a sample", async () => {
    const [without, ...rest] = await hashesWith({});
    const one = await hashesWith({ box: [1, 2] });
    expect(one.slice(1)).toEqual(rest);
    const [moved] = await hashesWith({ box: [1, 3] });
    const [renamed] = await hashesWith({ boxes: [1, 2] });
    expect(new Set([without, one[0], moved, renamed]).size).toBe(4);
    expect(await hashesWith({ box: [1, 2] })).toEqual(one);
  });

  it("are what they were for samples without further fields", async () => {
    const x = { type: "float32", dims: [1, 2], data: Float32Array.of(0, 1) } as const;
    const content = JSON.stringify([["0", feedsDigest({ x }), labelDigest(0)]]);
    const [calibration] = await hashesWith(undefined);
    expect(calibration).toBe(createHash("sha256").update(content).digest("hex"));
  });
});

describe("the digest of further fields", () => {
  it.each([
    ["a Map", new Map([["a", 1]]), new Map([["a", 2]])],
    ["a Set", new Set([1]), new Set([2])],
    ["a Date", new Date(1), new Date(2)],
    ["a pattern", /a/, /b/],
    ["bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
    ["the kind of array", Uint8Array.of(1), Int8Array.of(1)],
    ["a Buffer", Buffer.from("a"), Buffer.from("b")],
    ["a buffer", Uint8Array.of(1).buffer, Uint8Array.of(2).buffer],
    ["a view", new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(2))],
    ["a bigint", 1n, "1"],
    ["no number", NaN, Infinity],
    ["nothing", undefined, null],
    ["what is deep", [[[[{ a: [1] }]]]], [[[[{ a: [2] }]]]]],
    ["where parts end", [["a"], "b"], [["a", "b"]]],
  ])("tells %s", (_, one, other) => {
    const copy: unknown = structuredClone(one);
    expect(fieldsDigest({ truth: copy })).toBe(fieldsDigest({ truth: one }));
    expect(fieldsDigest({ truth: other })).not.toBe(fieldsDigest({ truth: one }));
  });

  it("ends in a circle, and however deep objects lie", () => {
    const circle = (value: number): Record<string, unknown> => {
      const first: Record<string, unknown> = { value };
      return Object.assign(first, { next: { back: first } });
    };
    expect(fieldsDigest(circle(1))).toBe(fieldsDigest(circle(1)));
    expect(fieldsDigest(circle(1))).not.toBe(fieldsDigest(circle(2)));
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 1e5; level++) deep = { deep };
    expect(fieldsDigest(deep)).toMatch(/=$/);
  });
});
