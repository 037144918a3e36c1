import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openData } from "../data/open-data.js";
import { openEngines } from "./engines.js";
import { calibrationOf, splitHashes } from "./material.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-splits-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Line {
  readonly x: readonly number[];
  readonly label: unknown;
}

/** The hashes that a lock would hold, and which sample each split begins with. */
async function hashesOf(lines: readonly Line[]): Promise<Readonly<Record<string, string>>> {
  const path = join(folder, "data.jsonl");
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const data = await openData(path, {
    inputs: [{ name: "x", type: "float32", dims: [1, 2] }],
    seed: 0,
  });
  try {
    return await splitHashes(data);
  } finally {
    await data.dispose();
  }
}

describe("the splits' hashes", () => {
  const lines: readonly Line[] = Array.from({ length: 20 }, (_, index) => ({
    x: [index, 1],
    label: index % 2,
  }));
  const changed = (change: Partial<Line>) =>
    hashesOf(lines.map((line, index) => (index === 0 ? { ...line, ...change } : line)));
  const differences = async (change: Partial<Line>): Promise<number> => {
    const [before, after] = [await hashesOf(lines), await changed(change)];
    return Object.keys(before).filter((name) => before[name] !== after[name]).length;
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
    const calibration = calibrationOf({ samples, splits, seed: 0 }, engines.reference);
    const classes = new Set<unknown>();
    let seen = 0;
    for await (const { x } of calibration?.samples() ?? []) {
      if (seen++ < 8) classes.add(x?.data[0]);
    }
    expect(classes.size).toBe(4);
    expect(seen).toBe(splits.calibration.length);
  } finally {
    await engines.dispose();
    await data.dispose();
  }
});
