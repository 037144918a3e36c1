import { describe, expect, it } from "vitest";
import { benjaminiHochberg } from "./benjamini-hochberg.js";
import { binomialCdf, clopperPearson } from "./binomial.js";
import { bootstrapInterval, groupUnits, percentileInterval, resamples } from "./bootstrap.js";
import { pairedDifference } from "./paired.js";
import { mean, median, quantile } from "./quantile.js";
import { seeded, shuffle } from "./random.js";
import { areEnough, withUnseen } from "./unseen.js";

describe("quantiles", () => {
  it("are NumPy's default", () => {
    expect(quantile([4, 1, 3, 2], 0.9)).toBeCloseTo(3.7);
    expect(median([5, 1, 3])).toBe(3);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("binomial", () => {
  // scipy.stats.binom.cdf, scipy.stats.binomtest(...).proportion_ci
  it.each([
    [3, 10, 0.5, 0.171875],
    [1, 662, 0.01, 0.00992],
    [20, 2000, 0.01, 0.559107],
  ])("P(X ≤ %i) for n = %i, p = %d", (k, n, p, expected) =>
    expect(binomialCdf(k, n, p)).toBeCloseTo(expected, 4),
  );

  it("is the sum of all terms up to k", () => {
    const random = seeded(5);
    const logFactorial = [0];
    for (let i = 1; i <= 2004; i++) logFactorial.push((logFactorial[i - 1] ?? 0) + Math.log(i));
    const logOf = (i: number) => logFactorial[i] ?? Number.NaN;
    for (const n of [1, 2, 7, 64, 2004]) {
      for (let trial = 0; trial < 40; trial++) {
        const p = trial % 2 === 0 ? random() : random() ** 6;
        const k = Math.floor(random() * (n + 1));
        let sum = 0;
        for (let i = 0; i <= k; i++)
          sum += Math.exp(
            logOf(n) - logOf(i) - logOf(n - i) + i * Math.log(p) + (n - i) * Math.log1p(-p),
          );
        expect(binomialCdf(k, n, p)).toBeCloseTo(sum, 9);
      }
    }
  });

  it("gives exact intervals", () => {
    expect(clopperPearson(0, 50)[1]).toBeCloseTo(0.071122, 5);
    expect(clopperPearson(8, 20)[0]).toBeCloseTo(0.191191, 5);
    expect(clopperPearson(8, 20)[1]).toBeCloseTo(0.639457, 5);
    expect(clopperPearson(20, 20)).toEqual([expect.closeTo(0.831566, 5), 1]);
    expect(clopperPearson(0, 0)).toEqual([0, 1]);
  });

  it("says of no flip among 50 that 5.8 % are still possible (one-sided 95 %)", () => {
    expect(clopperPearson(0, 50, 0.9)[1]).toBeCloseTo(0.0582, 4);
  });
});

describe("paired differences", () => {
  it("are not certain where nothing changed", () => {
    const [low, high] = pairedDifference(0, 0, 50);
    expect(low).toBeCloseTo(-high);
    expect(high).toBeGreaterThan(0.02);
  });

  it("cover the truth as often as they say", () => {
    const random = seeded(3);
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      let lost = 0;
      let gained = 0;
      for (let sample = 0; sample < 300; sample++) {
        const draw = random();
        if (draw < 0.04) lost++;
        else if (draw < 0.06) gained++;
      }
      const [low, high] = pairedDifference(lost, gained, 300);
      if (low <= 0.02 && 0.02 <= high) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
    expect(covered / 400).toBeLessThan(0.99);
  });
});

describe("bootstrap", () => {
  it("draws a group whole", () => {
    const units = groupUnits(["a", null, "a", "b", null]);
    expect(units).toEqual([[0, 2], [1], [3], [4]]);
    for (const drawn of resamples(units, 50, 1)) {
      const zeros = drawn.filter((index) => index === 0).length;
      expect(drawn.filter((index) => index === 2)).toHaveLength(zeros);
    }
  });

  it("repeats itself for the same seed", () => {
    expect(resamples([[0], [1], [2]], 3, 9)).toEqual(resamples([[0], [1], [2]], 3, 9));
    expect(resamples([[0], [1], [2], [3], [4]], 3, 9)).not.toEqual(
      resamples([[0], [1], [2], [3], [4]], 3, 10),
    );
  });

  it("covers a mean as often as it says", () => {
    const random = seeded(8);
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = Array.from({ length: 80 }, () => random() + random());
      const [low, high] = bootstrapInterval(values, mean, {
        confidence: 0.95,
        resamples: 300,
        seed: trial,
      });
      if (low <= 1 && 1 <= high) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
  });

  it("leaves out resamples that have no answer", () => {
    expect(percentileInterval([Number.NaN, 1, 1, 1], 0.95)).toEqual([1, 1]);
  });
});

describe("what was not seen", () => {
  /** The mean's 95 % interval. */
  const intervalOf = (values: readonly number[], most: number | null, seed = 1) => {
    const options = { confidence: 0.95, resamples: 1000, seed };
    const seen = bootstrapInterval(values, mean, options);
    const center = mean(values);
    const deviations = values.map((value) => value - center);
    return { seen, with: withUnseen(seen, center, deviations, most, 0.95) };
  };

  it("is as frequent as the rule of three says, where no value differs", () => {
    const none = Array.from({ length: 50 }, () => 0);
    const [low, high] = intervalOf(none, 1).with ?? [];
    expect(high).toBeCloseTo(clopperPearson(0, 50)[1], 10);
    expect(low).toBeCloseTo(-(high ?? 0), 10);
    // Sums of equal values come out different in their last digits, which is no difference.
    const alike = Array.from({ length: 50 }, () => 0.1);
    expect(intervalOf(alike, null).with).toBeNull();
    expect(intervalOf(alike, 1).with?.[1]).toBeCloseTo(0.1 + (high ?? 0), 10);
  });

  it("may lie on the side on which nothing was seen", () => {
    const gained = Array.from({ length: 50 }, (_, index) => (index === 7 ? -1 : 0));
    const { seen, with: wider } = intervalOf(gained, 1);
    expect(seen[1]).toBe(0);
    expect(wider?.[1]).toBeGreaterThan(0.04);
    expect(wider?.[0]).toBeLessThanOrEqual(seen[0]);
  });

  it("changes nothing where many differ", () => {
    const random = seeded(4);
    const spread = Array.from({ length: 300 }, () => random() - random());
    const flips = Array.from({ length: 300 }, () => {
      const draw = random();
      return draw < 0.03 ? 1 : draw < 0.05 ? -1 : 0;
    });
    for (const values of [spread, flips]) {
      const { seen, with: same } = intervalOf(values, 1);
      expect(same).toEqual(seen);
    }
  });

  it("leaves the truth out of an interval no more often than that says, however rare losses are", () => {
    const random = seeded(6);
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      const lost = Array.from({ length: 40 }, () => (random() < 0.02 ? 1 : 0));
      const [low, high] = intervalOf(lost, 1, trial).with ?? [1, 0];
      if (low <= 0.02 && 0.02 <= high) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.95);
  });

  it("is all there is where values are so few that their order says nothing", () => {
    expect([1, 5, 6].map((n) => areEnough(n, 0.95))).toEqual([false, false, true]);
    expect([11, 12].map((n) => areEnough(n, 0.9995))).toEqual([false, true]);
  });
});

describe("Benjamini and Hochberg", () => {
  it("finds what their paper's example finds", () => {
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
      0.6528, 0.759, 1,
    ];
    expect(benjaminiHochberg(p).filter(Boolean)).toHaveLength(4);
  });

  it("keeps the order it was given", () => {
    expect(benjaminiHochberg([0.9, 0.001, 0.5])).toEqual([false, true, false]);
  });
});

describe("seeded shuffling", () => {
  it("keeps everything and depends on the seed", () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const once = shuffle([...items], seeded(1));
    expect([...once].sort((a, b) => a - b)).toEqual(items);
    expect(shuffle([...items], seeded(1))).toEqual(once);
    expect(shuffle([...items], seeded(2))).not.toEqual(once);
  });
});
