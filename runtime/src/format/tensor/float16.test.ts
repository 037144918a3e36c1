import { expect, it } from "vitest";
import { floatsToHalves, floatToHalf, halfToFloat, halvesToFloats } from "./float16.js";

it("gives every half back", () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
    (half) => !Number.isNaN(halfToFloat(half)),
  );
  expect(halves.length).toBe(65536 - 2 * 1023);
  expect(floatsToHalves(halvesToFloats(halves))).toEqual(halves);
});

it("rounds what lies between two halves to the nearest, ties to even", () => {
  const [made, right]: [number[], number[]] = [[], []];
  for (let half = 0; half < 0x7bff; half++) {
    const [low, high] = [halfToFloat(half), halfToFloat(half + 1)];
    const middle = (low + high) / 2;
    const even = half % 2 === 0 ? half : half + 1;
    const around = [middle, middle * (1 - 2 ** -20), middle * (1 + 2 ** -20), -middle];
    made.push(...around.map(floatToHalf));
    right.push(even, half, half + 1, even | 0x8000);
  }
  expect(Uint16Array.from(made)).toEqual(Uint16Array.from(right));
});

it.each([
  [65504, 0x7bff],
  [65519.996, 0x7bff],
  [65520, 0x7c00],
  [1e30, 0x7c00],
  [-Infinity, 0xfc00],
  [2 ** -25, 0],
  [2 ** -24, 1],
  [-0, 0x8000],
  [1e-30, 0],
])("makes %d the half 0x%s", (value, half) => {
  expect(floatToHalf(value)).toBe(half);
});

it("keeps NaN", () => {
  expect(floatToHalf(NaN)).toBe(0x7e00);
  expect(halfToFloat(0x7e00)).toBeNaN();
});
