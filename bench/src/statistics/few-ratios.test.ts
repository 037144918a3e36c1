import { expect, it } from "vitest";
import { fewRatiosInterval } from "./few-ratios.js";
import { normalQuantile } from "./normal.js";
import { seeded } from "./random.js";

/** How often the interval misses a ratio of 1, where blocks differ so much. */
function missed(count: number, spread: number): number {
  const random = seeded(count);
  const trials = 4000;
  let misses = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const ratios = Array.from({ length: count }, () =>
      Math.exp(spread * normalQuantile(0.5e-6 + (1 - 1e-6) * random())),
    );
    const [low, high] = fewRatiosInterval(ratios);
    if (low > 1 || high < 1) misses += 1;
  }
  return misses / trials;
}

it.each([1, 2, 3, 5, 7])("holds what it claims of %d blocks that differ as usual", (count) => {
  expect(missed(count, 0.03)).toBeLessThan(0.012);
});

it("widens with what is seen, where blocks differ more", () => {
  expect(missed(5, 0.1)).toBeLessThan(0.06);
  const [low, high] = fewRatiosInterval([0.5, 0.5, 0.5]);
  expect(low).toBeGreaterThan(0.45);
  expect(high).toBeLessThan(0.55);
  expect(fewRatiosInterval([0.4, 0.5, 0.7])[1]).toBeGreaterThan(0.7);
});
