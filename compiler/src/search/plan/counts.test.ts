import { describe, expect, it } from "vitest";
import { countsFor } from "./counts.js";
import { facts } from "./planned.test.support.js";

const testsOf = (leftMs: number, tellingSamples: number, test = 5000): number | undefined =>
  countsFor([{ ...facts, tellingSamples, test }], leftMs).get("cpu")?.test;

describe("counts of samples", () => {
  const times = Array.from({ length: 200 }, (_, index) => 1000 * 1.05 ** index);

  it("are such that what may be lost of them is all that is allowed", () => {
    for (const leftMs of times) {
      const count = testsOf(leftMs, 100) ?? NaN;
      expect(count === 5000 || count % 100 === 0).toBe(true);
    }
  });

  it("are little more than the time does for, and more than half of it", () => {
    for (const leftMs of times) {
      const [count = NaN, plain = NaN] = [testsOf(leftMs, 100), testsOf(leftMs, 0)];
      expect(count).toBeLessThanOrEqual(1.2 * plain);
      expect(count).toBeGreaterThan(plain / 2);
    }
  });

  it("are all there are where the time does for them", () => {
    expect(testsOf(1e7, 100, 137)).toBe(137);
  });
});
