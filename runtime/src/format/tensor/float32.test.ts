import * as fc from "fast-check";
import { expect, it } from "vitest";
import { floatAtLeast, floatAtMost, floatBelow } from "./float32.js";

it("finds the float below", () => {
  expect([1, 0, -0, Infinity, -(2 ** -149)].map(floatBelow)).toEqual([
    1 - 2 ** -24,
    -(2 ** -149),
    -(2 ** -149),
    2 ** 128 - 2 ** 104,
    -(2 ** -148),
  ]);
  expect(floatBelow(-Infinity)).toBeNaN();
});

it("finds floats that every float is compared with as with the number", () => {
  const number = fc.oneof(fc.double({ noNaN: true }), fc.float({ noNaN: true }));
  fc.assert(
    fc.property(number, fc.float({ noNaN: true }), fc.boolean(), (x, other, isNear) => {
      const float = isNear ? Math.fround(x) : other;
      const [most, least] = [floatAtMost(x), floatAtLeast(x)];
      expect([Math.fround(most), Math.fround(least)]).toEqual([most, least]);
      expect(float <= most).toBe(float <= x);
      expect(float >= least).toBe(float >= x);
    }),
  );
});
