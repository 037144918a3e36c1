import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guardedScales, meanShift, quantizeBias } from "./bias.js";
import { Observer } from "./observer.js";
import { leastSquaresRange, rangeOf } from "./range.js";
import { affineOf, quantizeValue, type Range, uint8Range } from "./scale.js";
import { quantizeWeights, weightScales } from "./weights.js";

const float = fc.float({ noNaN: true, min: -10, max: 10 });

describe("weights", () => {
  it("are rounded per channel as a slow reference does, along any axis", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(float, { minLength: 36, maxLength: 36 }),
        fc.constantFrom(7 as const, 8 as const),
        (a, b, c, pool, bits) => {
          const dims = [a, b, c];
          const values = Float32Array.from(pool.slice(0, a * b * c));
          const limit = bits === 7 ? 64 : 127;
          const scales = weightScales(values, dims, 1, bits, "minmax");
          const { data, sqnr } = quantizeWeights(values, dims, 1, bits, scales);
          expect(scales).toHaveLength(b);
          values.forEach((w, i) => {
            const channel = Math.floor(i / c) % b;
            const scale = scales[channel] ?? NaN;
            expect(Math.abs(data[i] ?? NaN)).toBeLessThanOrEqual(limit);
            expect(Math.abs(w - scale * (data[i] ?? NaN))).toBeLessThanOrEqual(scale * 0.5001);
          });
          if (values.some((w) => Math.abs(w) > 1e-3)) expect(sqnr).toBeGreaterThan(20);
        },
      ),
    );
  });

  it("never saturate a pair of uint8 × int8 products at seven bits", () => {
    fc.assert(
      fc.property(
        fc.array(float, { minLength: 2, maxLength: 20 }),
        fc.constantFrom("minmax" as const, "mse" as const),
        (pool, method) => {
          const values = Float32Array.from(pool);
          const { data } = quantizeWeights(
            values,
            [values.length],
            undefined,
            7,
            weightScales(values, [values.length], undefined, 7, method),
          );
          for (let i = 0; i + 1 < data.length; i += 1)
            expect(Math.abs(255 * (data[i] ?? 0) + 255 * (data[i + 1] ?? 0))).toBeLessThanOrEqual(
              32767,
            );
        },
      ),
    );
  });

  it("lose no more with least-squares scales than with the largest value's", () => {
    const random = (i: number): number => Math.sin(i * 12.9898) ** 9;
    const values = Float32Array.from({ length: 4000 }, (_, i) => random(i) + (i === 7 ? 6 : 0));
    const loss = (method: "minmax" | "mse"): number =>
      quantizeWeights(values, [4, 1000], 0, 8, weightScales(values, [4, 1000], 0, 8, method)).sqnr;
    expect(loss("mse")).toBeGreaterThanOrEqual(loss("minmax"));
  });

  it("of zeros have a scale of 1", () => {
    expect(weightScales(new Float32Array(4), [2, 2], 0, 8, "mse")).toEqual(Float32Array.of(1, 1));
  });
});

describe("bias", () => {
  it("is rounded in the accumulator's steps", () => {
    const { data, scales } = quantizeBias(Float32Array.of(1, -2), 0.5, Float32Array.of(0.1, 0.2));
    expect(scales).toEqual(Float32Array.of(0.05, 0.1));
    expect(data).toEqual(Int32Array.of(20, -20));
  });

  it("never overflows once its scales are guarded", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.float({ noNaN: true, min: Math.fround(1e-12), max: 1 }),
            fc.float({ noNaN: true, min: -1e6, max: 1e6 }),
          ),
          { minLength: 1, maxLength: 5 },
        ),
        (channels) => {
          const weights = Float32Array.from(channels, ([scale]) => scale);
          const bias = Float32Array.from(channels, ([, b]) => b);
          const guarded = guardedScales(weights, 1e-4, bias);
          const { data, scales } = quantizeBias(bias, 1e-4, guarded);
          data.forEach((q, i) => {
            expect(Math.abs(q)).toBeLessThan(2 ** 31 - 1);
            expect(Math.abs(q * (scales[i] ?? 0) - (bias[i] ?? 0))).toBeLessThanOrEqual(
              (scales[i] ?? 0) * 0.5 + Math.abs(bias[i] ?? 0) * 1e-6,
            );
            expect(guarded[i]).toBeGreaterThanOrEqual(weights[i] ?? Infinity);
          });
        },
      ),
    );
  });

  it("is shifted by what rounding loses on average, as a slow reference says", () => {
    const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 3));
    const means = Float64Array.of(1, -2, 0.5, 3);
    const lossOf = (
      weights: { data: Int8Array; scales: Float32Array },
      i: number,
      channel: number,
    ) => (values[i] ?? NaN) - (weights.scales[channel] ?? NaN) * (weights.data[i] ?? NaN);

    const grouped = quantizeWeights(
      values,
      [4, 2, 3],
      0,
      7,
      weightScales(values, [4, 2, 3], 0, 7, "minmax"),
    );
    const shift = meanShift(values, grouped, [4, 2, 3], 0, 2, means);
    for (let o = 0; o < 4; o += 1) {
      let expected = 0;
      for (let i = 0; i < 2; i += 1) {
        for (let k = 0; k < 3; k += 1)
          expected += lossOf(grouped, (o * 2 + i) * 3 + k, o) * (means[(o < 2 ? 0 : 2) + i] ?? NaN);
      }
      expect(shift[o]).toBeCloseTo(expected, 12);
    }

    const matrix = quantizeWeights(
      values,
      [4, 6],
      1,
      7,
      weightScales(values, [4, 6], 1, 7, "minmax"),
    );
    const turned = meanShift(values, matrix, [4, 6], 1, 1, means);
    for (let n = 0; n < 6; n += 1) {
      const expected = [0, 1, 2, 3].reduce(
        (sum, k) => sum + lossOf(matrix, k * 6 + n, n) * (means[k] ?? NaN),
        0,
      );
      expect(turned[n]).toBeCloseTo(expected, 12);
    }
  });

  it("leaves scales alone that have room", () => {
    expect(guardedScales(Float32Array.of(0.1), 0.1, Float32Array.of(3, 4))).toEqual(
      Float32Array.of(0.1),
    );
  });
});

describe("ranges", () => {
  const loss = (values: readonly number[], range: Range): number => {
    const affine = affineOf(range, uint8Range);
    return values.reduce(
      (sum, x) =>
        sum + (x - affine.scale * (quantizeValue(x, affine, uint8Range) - affine.zeroPoint)) ** 2,
      0,
    );
  };

  it("clip an outlier where that loses less, and stay inside what was seen", () => {
    const values = Array.from({ length: 400_000 }, (_, i) =>
      Math.fround(Math.sin(i) + (i === 0 ? 3 : 0)),
    );
    const observer = new Observer();
    observer.observe(values);
    const range = leastSquaresRange(observer, uint8Range);
    expect(range.max).toBeLessThan(2.9);
    expect(range.min).toBeGreaterThanOrEqual(-1);
    expect(loss(values, range)).toBeLessThan(loss(values, observer.range));
  });

  it("never lose notably more than all that was seen", () => {
    fc.assert(
      fc.property(fc.array(float, { minLength: 2, maxLength: 200 }), (values) => {
        const observer = new Observer();
        observer.observe(values);
        const mse = loss(values, rangeOf(observer, "mse", uint8Range));
        const minmax = loss(values, rangeOf(observer, "minmax", uint8Range));
        const step = affineOf(observer.range, uint8Range).scale;
        expect(mse).toBeLessThanOrEqual(minmax * 1.3 + values.length * step * step * 0.1);
      }),
    );
  });
});
