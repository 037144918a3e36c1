import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  splitAsExported,
  splitBySeed,
  type SplitPurpose,
  type Splits,
  type Splittable,
} from "./splits.js";

const sample = fc.record({
  group: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom("a", "b", "c") },
  ),
  digest: fc.oneof(fc.uuid(), fc.constantFrom("same", "twin")),
});
const purpose = fc.constantFrom<SplitPurpose>("measuring", "training");
const samples = fc
  .array(sample, { minLength: 1, maxLength: 120 })
  .map((all): Splittable[] => all.map((each, index) => ({ ...each, id: String(index) })));

const sets = ({
  calibration,
  validation,
  test,
  training = [],
}: Splits): readonly (readonly number[])[] => [calibration, validation, test, training];
const numbered = (count: number): Splittable[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index),
    group: null,
    digest: `d${index}`,
  }));

/** Sequences of three steps, of which the first is the same in all. */
const recordings = (count: number): Splittable[] =>
  Array.from({ length: 3 * count }, (_, index) => {
    const sequence = `r${Math.floor(index / 3)}`;
    const at = index % 3;
    const digest = at === 0 ? "silence" : `${sequence} ${at}`;
    return { id: `${sequence}.${at}`, group: sequence, sequence, digest };
  });

function placesOf(
  all: readonly Splittable[],
  splits: Splits,
  key: (sample: Splittable) => string | null,
): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  for (const [place, indices] of sets(splits).entries()) {
    for (const index of indices) {
      const sample = all[index];
      const name = sample === undefined ? null : key(sample);
      if (name !== null) places.set(name, (places.get(name) ?? new Set()).add(place));
    }
  }
  return places;
}

describe("splitBySeed", () => {
  it("puts every sample into exactly one split", () => {
    fc.assert(
      fc.property(samples, fc.nat(), purpose, (all, seed, what) => {
        const placed = sets(splitBySeed(all, seed, what))
          .flat()
          .toSorted((a, b) => a - b);
        expect(placed).toEqual(all.map((_, index) => index));
      }),
    );
  });

  it("never lets a group or equal feeds straddle", () => {
    fc.assert(
      fc.property(samples, fc.nat(), purpose, (all, seed, what) => {
        const splits = splitBySeed(all, seed, what);
        for (const key of [(each: Splittable) => each.group, (each: Splittable) => each.digest]) {
          for (const places of placesOf(all, splits, key).values()) expect(places.size).toBe(1);
        }
      }),
    );
  });

  it("takes a tenth, two tenths and seven tenths, fixed by the seed", () => {
    const all = numbered(1000);
    const splits = splitBySeed(all, 7);
    expect(sets(splits).map(({ length }) => length)).toEqual([100, 200, 700, 0]);
    expect(splitBySeed(all, 7)).toEqual(splits);
    expect(splitBySeed(all, 8).test).not.toEqual(splits.test);
    expect(splits.caveat).toBeNull();
  });

  it("takes eight tenths to train on, and a tenth each to look at and to test on", () => {
    const splits = splitBySeed(numbered(1000), 7, "training");
    expect(sets(splits).map(({ length }) => length)).toEqual([0, 100, 100, 800]);
    expect(splits.rule).toContain("80 % for training, 10 % for validation, 10 % for test");
    expect(splits.caveat).toBeNull();
    expect(splitBySeed(numbered(1000), 7)).not.toHaveProperty("training");
  });

  it("keeps together any number of samples", () => {
    const many = numbered(200_000);
    for (const alike of [{ group: "one" }, { digest: "same" }]) {
      const splits = splitBySeed(
        many.map((each) => ({ ...each, ...alike })),
        0,
      );
      expect(sets(splits).map(({ length }) => length)).toEqual([0, 0, many.length, 0]);
    }
  });

  it("keeps sequences apart that only begin alike, and copies together", () => {
    const splits = splitBySeed(recordings(100), 0);
    expect(sets(splits).map(({ length }) => length)).toEqual([30, 60, 210, 0]);
    const copies = recordings(100).map((step) => ({ ...step, digest: `d${step.id.slice(-1)}` }));
    expect(sets(splitBySeed(copies, 0)).map(({ length }) => length)).toEqual([0, 0, 300, 0]);
  });

  it("says so where all are equal, as of a module that nobody filled in", () => {
    const equal = numbered(100).map((sample) => ({ ...sample, digest: "zeros" }));
    expect(splitBySeed(equal, 0).caveat).toBe("All 100 samples are equal: was the data filled in?");
  });

  it("says when there are too few", () => {
    expect(splitBySeed(numbered(1), 0)).toMatchObject({
      test: [0],
      caveat: expect.stringContaining("validation and calibration"),
    });
  });
});

describe("splitAsExported", () => {
  const splits = { calibration: ["0"], validation: ["1", "2"], test: ["3", "4"] };

  it("keeps what was named", () => {
    expect(splitAsExported(numbered(6), splits, "m.mjs")).toMatchObject({
      calibration: [0],
      validation: [1, 2],
      test: [3, 4],
      caveat: null,
    });
    expect(splitAsExported(numbered(6), splits, "m.mjs")).not.toHaveProperty("training");
    const more = { ...splits, training: ["5"] };
    expect(splitAsExported(numbered(6), more, "m.mjs")).toMatchObject({
      training: [5],
      test: [3, 4],
    });
  });

  it.each([
    ["an overlap", { ...splits, validation: ["1", "3"] }, /"3" is in both test and validation/],
    ["an unknown id", { ...splits, test: ["9"] }, /names the id "9", which no sample has/],
    ["an id twice", { ...splits, test: ["3", "3"] }, /names "3" twice/],
    ["a missing split", { calibration: ["0"], test: ["3"] }, /splits\.validation. is no list/],
    [
      "a split to train on that is none",
      { ...splits, training: 5 },
      /splits\.training. is no list/,
    ],
    ["training on test samples", { ...splits, training: ["5", "4"] }, /"4" is in both test and/],
    ["an empty split", { ...splits, calibration: [] }, /splits\.calibration. is empty/],
  ])("refuses %s", (_, exported, message) => {
    expect(() => splitAsExported(numbered(6), exported, "m.mjs")).toThrow(message);
  });

  it("refuses a group that straddles", () => {
    const grouped = numbered(6).map((each, index) => ({
      ...each,
      group: index === 0 || index === 4 ? "g" : null,
    }));
    expect(() => splitAsExported(grouped, splits, "m.mjs")).toThrow(/group "g" straddles/);
  });

  it("leaves out a sequence that is a copy, and none that only begins as another", () => {
    const named = { calibration: ["r0"], validation: ["r1"], test: ["r2"] };
    expect(splitAsExported(recordings(3), named, "m.mjs")).toMatchObject({
      calibration: [0, 1, 2],
      validation: [3, 4, 5],
      test: [6, 7, 8],
      caveat: null,
    });
    const copied = recordings(3).map((step) => ({
      ...step,
      digest: step.digest.replace("r1", "r2"),
    }));
    expect(splitAsExported(copied, named, "m.mjs")).toMatchObject({
      calibration: [0, 1, 2],
      validation: [],
      caveat: expect.stringContaining("3 of validation"),
    });
  });

  it("leaves copies of test samples out of the others, and says so", () => {
    const copied = numbered(6).map((each, index) => ({
      ...each,
      digest: index === 1 || index === 3 ? "same" : each.digest,
    }));
    const kept = splitAsExported(copied, splits, "m.mjs");
    expect(kept).toMatchObject({ calibration: [0], validation: [2], test: [3, 4] });
    expect(kept.caveat).toContain("1 of validation");
    const trained = { calibration: ["0"], validation: ["2"], test: ["3"], training: ["1", "5"] };
    expect(splitAsExported(copied, trained, "m.mjs")).toMatchObject({
      training: [5],
      caveat: expect.stringContaining("1 of training"),
    });
  });
});
