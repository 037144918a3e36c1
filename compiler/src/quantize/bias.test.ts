import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guardedScales, meanShift, quantizeBias } from "./bias.js";

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

  it("is clipped to int32 where its scales are not guarded", () => {
    const { data } = quantizeBias(Float32Array.of(1e9, -1e9), 1e-3, Float32Array.of(1e-3, 1e-3));
    expect(data).toEqual(Int32Array.of(2 ** 31 - 1, -(2 ** 31)));
  });

  it("is shifted by what rounding loses on average, as a slow reference says", () => {
    const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 3));
    const rounded = values.map((x) => Math.round(x * 8) / 8);
    const means = Float64Array.of(1, -2, 0.5, 3);
    const lossOf = (i: number): number => (values[i] ?? NaN) - (rounded[i] ?? NaN);

    const shift = meanShift(values, rounded, [4, 2, 3], 0, 2, means);
    for (let o = 0; o < 4; o += 1) {
      let expected = 0;
      for (let i = 0; i < 2; i += 1) {
        for (let k = 0; k < 3; k += 1)
          expected += lossOf((o * 2 + i) * 3 + k) * (means[(o < 2 ? 0 : 2) + i] ?? NaN);
      }
      expect(shift[o]).toBeCloseTo(expected, 12);
    }

    const turned = meanShift(values, rounded, [4, 6], 1, 1, means);
    for (let n = 0; n < 6; n += 1) {
      const expected = [0, 1, 2, 3].reduce(
        (sum, k) => sum + lossOf(k * 6 + n) * (means[k] ?? NaN),
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
