import { describe, expect, it } from "vitest";
import fc from "fast-check";
import {
  affineOf,
  int7Range,
  int8Range,
  quantizeValue,
  roundHalfEven,
  symmetricScale,
  uint8Range,
} from "./scale.js";

const float = (bits: string): number =>
  new Float32Array(Uint32Array.of(parseInt(bits, 16)).buffer)[0] ?? 0;

describe("affineOf", () => {
  // From onnxruntime 1.31.1's compute_scale_zp, uint8 asymmetric.
  it.each([
    ["c0029e6b", "40239004", "3c93aae2", 113],
    ["c10a6f21", "4204eb84", "3e282f7c", 53],
    ["bc2ce039", "3b800ec3", "386dd570", 186],
    ["bef6c18c", "3e744766", "3b392bcb", 171],
    ["bfea08ad", "40acf7d2", "3ce86260", 64],
    ["bc9e85bd", "3b30b2c9", "38b55168", 224],
  ])("gives onnxruntime's numbers for %s…%s", (min, max, scale, zeroPoint) => {
    expect(affineOf({ min: float(min), max: float(max) }, uint8Range)).toEqual({
      scale: float(scale),
      zeroPoint,
    });
  });

  it("widens to contain zero, and falls back to 1 where there is nothing", () => {
    expect(affineOf({ min: 3, max: 3 }, uint8Range)).toEqual({
      scale: Math.fround(3 / 255),
      zeroPoint: 0,
    });
    expect(affineOf({ min: 0, max: 0 }, uint8Range)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(affineOf({ min: -2, max: -1 }, uint8Range).zeroPoint).toBe(255);
  });

  it("gives a finite scale for ranges that overflow float32", () => {
    expect(affineOf({ min: -3e38, max: 3e38 }, uint8Range).scale).toBeLessThan(Infinity);
  });

  it("keeps zero exact and errs by half a step inside the range", () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, min: -1000, max: 1000 }),
        fc.float({ noNaN: true, min: -1000, max: 1000 }),
        fc.float({ noNaN: true, min: 0, max: 1 }),
        (a, b, at) => {
          const range = { min: Math.min(a, b, 0), max: Math.max(a, b, 0) };
          if (range.max - range.min < 1e-30) return;
          const affine = affineOf(range, uint8Range);
          expect(quantizeValue(0, affine, uint8Range)).toBe(affine.zeroPoint);
          const x = range.min + at * (range.max - range.min);
          const back = affine.scale * (quantizeValue(x, affine, uint8Range) - affine.zeroPoint);
          expect(Math.abs(back - x)).toBeLessThanOrEqual(affine.scale * 1.0001);
        },
      ),
    );
  });
});

it("rounds half to even, as a slow reference does", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: -1000, max: 1000 }).map((n) => n / 2),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      ),
      (x) => {
        const below = Math.floor(x);
        const expected =
          x - below < 0.5
            ? below
            : x - below > 0.5
              ? below + 1
              : below % 2 === 0
                ? below
                : below + 1;
        expect(roundHalfEven(x) + 0).toBe(expected + 0);
      },
    ),
  );
});

it("scales symmetrically to seven and eight bits", () => {
  expect(symmetricScale(127, int8Range)).toBe(1);
  expect(symmetricScale(64, int7Range)).toBe(1);
  expect(symmetricScale(0, int8Range)).toBe(1);
});
