import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitAsExported, splitBySeed, type Splits, type Splittable } from "./splits.js";

const sample = fc.record({
  group: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom("a", "b", "c") },
  ),
  digest: fc.oneof(fc.uuid(), fc.constantFrom("same", "twin")),
});
const samples = fc
  .array(sample, { minLength: 1, maxLength: 120 })
  .map((all): Splittable[] => all.map((each, index) => ({ ...each, id: String(index) })));

const sets = ({ calibration, validation, test }: Splits): readonly (readonly number[])[] => [
  calibration,
  validation,
  test,
];
const numbered = (count: number): Splittable[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index),
    group: null,
    digest: `d${index}`,
  }));

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
      fc.property(samples, fc.nat(), (all, seed) => {
        const placed = sets(splitBySeed(all, seed))
          .flat()
          .toSorted((a, b) => a - b);
        expect(placed).toEqual(all.map((_, index) => index));
      }),
    );
  });

  it("never lets a group or equal feeds straddle", () => {
    fc.assert(
      fc.property(samples, fc.nat(), (all, seed) => {
        const splits = splitBySeed(all, seed);
        for (const key of [(each: Splittable) => each.group, (each: Splittable) => each.digest]) {
          for (const places of placesOf(all, splits, key).values()) expect(places.size).toBe(1);
        }
      }),
    );
  });

  it("takes a tenth, two tenths and seven tenths, fixed by the seed", () => {
    const all = numbered(1000);
    const splits = splitBySeed(all, 7);
    expect(sets(splits).map(({ length }) => length)).toEqual([100, 200, 700]);
    expect(splitBySeed(all, 7)).toEqual(splits);
    expect(splitBySeed(all, 8).test).not.toEqual(splits.test);
    expect(splits.caveat).toBeNull();
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
  });

  it.each([
    ["an overlap", { ...splits, validation: ["1", "3"] }, /"3" is in both test and validation/],
    ["an unknown id", { ...splits, test: ["9"] }, /names the id "9", which no sample has/],
    ["an id twice", { ...splits, test: ["3", "3"] }, /names "3" twice/],
    ["a missing split", { calibration: ["0"], test: ["3"] }, /splits\.validation. is no list/],
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

  it("leaves copies of test samples out of the others, and says so", () => {
    const copied = numbered(6).map((each, index) => ({
      ...each,
      digest: index === 1 || index === 3 ? "same" : each.digest,
    }));
    const kept = splitAsExported(copied, splits, "m.mjs");
    expect(kept).toMatchObject({ calibration: [0], validation: [2], test: [3, 4] });
    expect(kept.caveat).toContain("1 of validation");
  });
});
