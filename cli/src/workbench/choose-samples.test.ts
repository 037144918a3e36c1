import { describe, expect, it } from "vitest";
import { chooseSamples, everySample } from "./choose-samples.js";

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe("the samples that calibrate", () => {
  it("are of every class of a sorted folder, and of the calibration split alone", () => {
    const calibration = range(1000, 2000);
    const { indexes, note } = chooseSamples({ calibration }, 10_000, 0);
    expect(new Set(indexes).size).toBe(200);
    const perClass = range(0, 10).map(
      (each) => indexes.filter((index) => Math.floor((index - 1000) / 100) === each).length,
    );
    expect(Math.min(...perClass)).toBeGreaterThanOrEqual(18);
    expect(note).toBeNull();
  });

  it("are others with another seed, and the same with the same", () => {
    const chosen = (seed: number) => chooseSamples({ calibration: range(0, 1000) }, 1000, seed);
    expect(chosen(1)).toEqual(chosen(1));
    expect(chosen(1).indexes).not.toEqual(chosen(2).indexes);
  });

  it("are all there are where the split has too few, which is said", () => {
    const { indexes, note } = chooseSamples({ calibration: [3, 9] }, 15, 0);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(range(0, 15));
    expect(note).toMatch(/2 of 15 samples.*test splits calibrate too/);
  });

  it("are every one for who wants all, but none that the data names for something else", () => {
    const unnamed = everySample({ calibration: [3, 9], areNamed: false }, 15);
    expect(unnamed.indexes).toEqual(range(0, 15));
    expect(unnamed.note).toMatch(/All 15 samples calibrate: measure the result on others/);
    const named = everySample({ calibration: range(0, 300), areNamed: true }, 900);
    expect(named).toEqual({ indexes: range(0, 300), note: null });
  });
});
