import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createScorer, type ResultName, type ScoringHooks } from "@pare/bench";
import { type KeyPart, memoryCache, noCache } from "@pare/compiler";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashData } from "../data/module-hash.js";
import { earlierResults, settingOf } from "./earlier-results.js";

const split = (sha256: string) => ({ sha256, ids: null });
const report = {
  source: "data.mjs",
  calibration: 1,
  validation: 2,
  test: 1,
  seed: 1,
  caveat: null,
  splits: {
    rule: "As the data names them.",
    calibration: split("c"),
    validation: split("v"),
    test: split("t"),
  },
};
const name = {
  kind: "predictions",
  artifact: "a",
  target: "cpu",
  split: "validation",
  against: null,
} as const satisfies ResultName;

/** Of samples that lie that many places further back, with a metric of Pare's own or by what a module predicts. */
function workbench(moved = 0, hooks: ScoringHooks = {}) {
  return {
    data: { hooks },
    engines: { hosts: new Map() },
    evaluation: {
      report,
      scorer: createScorer("top1", true),
      shapes: { x: [1, 2] },
      sizes: {},
      seed: 1,
      splits: { calibration: [moved], validation: [moved + 1, moved + 3], test: [moved + 2] },
    },
  };
}

describe("predictions of earlier runs", () => {
  const value = { sampleMs: 1, kept: [[1, 0]] };

  it("are found for the same samples at the same places", async () => {
    const cache = memoryCache();
    const resultsAt = async (moved: number) =>
      earlierResults(cache, await settingOf(workbench(moved), "data.npz", null));
    await (await resultsAt(0)).put(name, value);
    expect(await (await resultsAt(0)).get(name)).toEqual(value);
    // A sample of no split was put in front of them.
    expect(await (await resultsAt(1)).get(name)).toBeUndefined();
  });

  it("are not kept where they are too many for a text, and are then not written again", async () => {
    const results = earlierResults(memoryCache(), await settingOf(workbench(), undefined, null));
    let written = 0;
    const long = {
      toJSON: () => {
        written++;
        throw new RangeError("Invalid string length");
      },
    };
    for (let time = 0; time < 2; time++) await results.put(name, long);
    expect(written).toBe(1);
    await results.put({ ...name, split: "test" }, value);
    expect(await results.get({ ...name, split: "test" })).toEqual(value);
  });

  it("are not written where nothing is kept", async () => {
    const results = earlierResults(noCache, await settingOf(workbench(), undefined, null));
    const unwritable = {
      toJSON: () => {
        throw new Error("It was written.");
      },
    };
    await expect(results.put(name, unwritable)).resolves.toBeUndefined();
  });

  describe("by a module", () => {
    let folder = "";
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "pare-earlier-"));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it("are not kept where it was changed since before it was loaded", async () => {
      const path = join(folder, "data.mjs");
      const scoring = async (change?: () => Promise<void>): Promise<KeyPart> => {
        await writeFile(path, "export const predict = () => 0;");
        const before = await hashData(path);
        await change?.();
        return (await settingOf(workbench(0, { predict: async () => 0 }), path, before)).scoring;
      };
      expect(await scoring()).not.toBeNull();
      expect(await scoring(() => writeFile(path, "export const predict = () => 1;"))).toBeNull();
      expect(await scoring(() => rm(path))).toBeNull();
    });
  });
});
