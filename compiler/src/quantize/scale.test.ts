import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IntegerDtype, type IntegerFormat, integerRange, uint8Activations } from "./format.js";
import { nearestInteger, roundHalfEven } from "./half-even.js";
import { scaleOf } from "./scale.js";
import { slowHalfEven } from "./slow-reference.test.support.js";

const float = (bits: string): number =>
  new Float32Array(Uint32Array.of(parseInt(bits, 16)).buffer)[0] ?? 0;

const format = (
  dtype: IntegerDtype,
  symmetric: boolean,
  reduceRange = false,
): Omit<IntegerFormat, "granularity"> => ({ dtype, symmetric, reduceRange });

describe("integerRange", () => {
  it.each([
    [format("int8", false), -128, 127],
    [format("int8", true), -127, 127],
    [format("int8", true, true), -64, 64],
    [format("int8", false, true), -64, 64],
    [format("uint8", false), 0, 255],
    [format("uint8", true), 0, 255],
    [format("uint8", true, true), 0, 127],
    [format("int4", true), -8, 7],
    [format("int4", false, true), -4, 3],
    [format("uint4", false), 0, 15],
    [format("uint4", false, true), 0, 7],
    [format("int2", true), -2, 1],
    [format("uint2", false), 0, 3],
  ])("of %o is what onnxruntime's tables say", (one, min, max) => {
    expect(integerRange(one)).toEqual({ min, max });
  });
});

describe("scaleOf", () => {
  const scale8 = (min: number, max: number) => scaleOf({ min, max }, uint8Activations);

  // From onnxruntime 1.31.1's compute_scale_zp, uint8 asymmetric.
  it.each([
    ["c0029e6b", "40239004", "3c93aae2", 113],
    ["c10a6f21", "4204eb84", "3e282f7c", 53],
    ["bc2ce039", "3b800ec3", "386dd570", 186],
    ["bef6c18c", "3e744766", "3b392bcb", 171],
    ["bfea08ad", "40acf7d2", "3ce86260", 64],
    ["bc9e85bd", "3b30b2c9", "38b55168", 224],
  ])("gives onnxruntime's numbers for %s…%s", (min, max, scale, zeroPoint) => {
    expect(scale8(float(min), float(max))).toEqual({ scale: float(scale), zeroPoint });
  });

  // uint8 is 128 since 1.31: before, its symmetric range was 0…254 and its zero point 127.
  it.each([
    ["int8", false, 0],
    ["int8", true, 0],
    ["uint8", false, 128],
    ["uint8", true, 64],
    ["int4", false, 0],
    ["uint4", false, 8],
    ["int2", false, 0],
    ["uint2", false, 2],
  ] as const)("puts the zero point of symmetric %s (reduced: %s) at %i", (dtype, reduced, zero) => {
    for (const range of [
      { min: -3, max: 1 },
      { min: 0, max: 5 },
      { min: -2, max: -1 },
    ])
      expect(scaleOf(range, format(dtype, true, reduced)).zeroPoint).toBe(zero);
  });

  it("widens to contain zero, and falls back to 1 where there is nothing", () => {
    expect(scale8(3, 3)).toEqual({ scale: Math.fround(3 / 255), zeroPoint: 0 });
    expect(scale8(0, 0)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(scale8(0, 1e-37)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(scale8(-2, -1).zeroPoint).toBe(255);
  });

  it("divides a symmetric range by all of its integers", () => {
    const scale = (max: number, ...of: Parameters<typeof format>): number =>
      scaleOf({ min: -1, max }, format(...of)).scale;
    expect(scale(127, "int8", true)).toBe(1);
    expect(scale(64, "int8", true, true)).toBe(1);
    expect(scale(7.5, "int4", true)).toBe(1);
    expect(scale(7.5, "uint4", true)).toBe(1);
    expect(scale(1.5, "int2", true)).toBe(1);
  });

  it("gives a finite scale for ranges that overflow float32", () => {
    expect(scale8(-3e38, 3e38).scale).toBeLessThan(Infinity);
  });
});

describe("rounding", () => {
  it("is half to even, as a slow reference does", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: -1000, max: 1000 }).map((n) => n / 2),
          fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        ),
        (x) => {
          expect(roundHalfEven(x) + 0).toBe(slowHalfEven(x) + 0);
        },
      ),
    );
  });

  it("comes before the zero point is added, and clips last", () => {
    const range = { min: 0, max: 15 };
    const integers = [0.5, 1.5, 2.5, -0.5].map((x) => nearestInteger(x, 0, range));
    expect(integers.map((q) => q + 0)).toEqual([0, 2, 2, 0]);
    expect(nearestInteger(0.5, 1, range)).toBe(1);
    expect(nearestInteger(Infinity, 8, range)).toBe(15);
    expect(nearestInteger(-1e30, 8, range)).toBe(0);
  });
});
