import fc from "fast-check";
import { expect, it } from "vitest";
import type { Gain } from "../../targets/gains.js";
import { cumulative, expectedWorth, fasterShare, improvement } from "./worth.js";

it("is the mean of what improves", () => {
  const slow = (mean: number, spread: number): number => {
    const step = 0.001;
    let sum = 0;
    for (let z = -8; z < 8; z += step)
      sum +=
        (Math.max(0, mean + spread * z) * Math.exp((-z * z) / 2) * step) / Math.sqrt(2 * Math.PI);
    return sum;
  };
  fc.assert(
    fc.property(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: 0.02, max: 0.5, noNaN: true }),
      (mean, spread) => {
        expect(improvement(mean, spread)).toBeCloseTo(slow(mean, spread), 5);
      },
    ),
    { numRuns: 50 },
  );
});

const weights: Gain = { latency: 1, latencySpread: 0.03, size: 0.28, accepted: 1 };
const static8: Gain = { latency: 0.9, latencySpread: 0.3, size: 0.27, accepted: 0.6 };

it("is next to what is best so far, not next to the float model", () => {
  const atFirst = expectedWorth(weights, { latency: 1, size: 1 }, "latency");
  const later = expectedWorth(weights, { latency: 0.7, size: 0.28 }, "latency");
  expect(atFirst).toBeGreaterThan(0.15);
  expect(later).toBeLessThan(0.01);
});

it("leaves a chance to what its table knows little of", () => {
  const best = { latency: 0.7, size: 0.28 };
  expect(expectedWorth(static8, best, "latency")).toBeGreaterThan(
    2 * expectedWorth(weights, best, "latency"),
  );
});

it("asks for size first where that is preferred", () => {
  const half: Gain = { latency: 0.5, latencySpread: 0.03, size: 0.5, accepted: 1 };
  const float = { latency: 1, size: 1 };
  expect(expectedWorth(weights, float, "size")).toBeGreaterThan(expectedWorth(half, float, "size"));
  expect(expectedWorth(half, float, "latency")).toBeGreaterThan(
    expectedWorth(weights, float, "latency"),
  );
});

it("says how likely something is to be faster than the float model", () => {
  expect(fasterShare({ ...weights, latency: 1 })).toBeCloseTo(0.5, 6);
  expect(fasterShare({ ...static8, latency: Math.exp(-1.96 * 0.3) })).toBeCloseTo(0.975, 3);
  expect(fasterShare({ ...static8, latency: Math.exp(1.96 * 0.3) })).toBeCloseTo(0.025, 3);
  expect(fasterShare(static8, static8)).toBeCloseTo(0.5, 6);
  const quicker = { latency: static8.latency / 2, latencySpread: 0.4 };
  expect(fasterShare(static8, quicker)).toBeCloseTo(cumulative(-Math.LN2 / 0.5), 6);
});
