import { describe, expect, it } from "vitest";
import { distanceOf, relativeDistance } from "./distance.js";
import type { Dtype } from "./dtype.js";
import { floatsToHalves } from "./float16.js";
import type { Tensor } from "./tensor.js";

const floats = (...values: number[]): Tensor => ({
  type: "float32",
  dims: [values.length],
  data: Float32Array.from(values),
});
const halves = (...values: number[]): Tensor => ({
  type: "float16",
  dims: [values.length],
  data: floatsToHalves(values),
});
const bits = (type: Dtype, ...values: number[]): Tensor => ({
  type,
  dims: [values.length],
  data: Uint16Array.from(values),
});
const wide = (...values: bigint[]): Tensor => ({
  type: "int64",
  dims: [values.length],
  data: BigInt64Array.from(values),
});
const text = (...data: string[]): Tensor => ({ type: "string", dims: [data.length], data });
const { NaN: nan } = Number;

describe("the relative distance of two tensors", () => {
  it.each<[string, Tensor, Tensor, number]>([
    ["equal ones", floats(1, -2), floats(1, -2), 0],
    ["over the largest that was expected", floats(1, -4), floats(3, -4), 0.5],
    ["of zeros of either sign", floats(0, 1), floats(-0, 1), 0],
    ["from nothing but zeros", floats(0, 0), floats(0, 0.5), 0.5],
    ["beside an equal infinity", floats(Infinity, 2), floats(Infinity, 1), 0.5],
    ["beside a NaN in both", floats(nan, 2), floats(nan, 1), 0.5],
    ["to an infinity", floats(1, 2), floats(1, Infinity), Infinity],
    ["to an infinity of the other sign", floats(Infinity), floats(-Infinity), Infinity],
    ["from an infinity", floats(Infinity, 2), floats(1e30, 2), Infinity],
    ["to a NaN", floats(1, 2), floats(nan, 2), Infinity],
    ["from a NaN", floats(nan, 2), floats(1, 2), Infinity],
    ["to other dims", floats(1, 2), { ...floats(1, 2), dims: [2, 1] }, Infinity],
    ["of halves, which are no bits", halves(2, 1), halves(2, 1.5), 0.25],
    ["of halves with zeros of either sign", halves(0, 1), halves(-0, 1), 0],
    ["of bfloats, which are no bits", bits("bfloat16", 0x4000), bits("bfloat16", 0x3f80), 0.5],
    ["of integers of 16 bits, which are", bits("uint16", 0x4000), bits("uint16", 0x3000), 0.25],
    ["of halves and floats", halves(2, 1), floats(2, 1.5), 0.25],
    ["of integers that doubles cannot tell apart", wide(2n ** 60n), wide(2n ** 60n + 1n), 2 ** -60],
    ["of a bigint and its float", wide(2n, -4n), floats(2, -4), 0],
    ["of equal texts", text("a", "b"), text("a", "b"), 0],
    ["of other texts", text("a", "b"), text("a", "c"), Infinity],
    ["of a text and a number", text("1"), floats(1), Infinity],
  ])("%s", (_, expected, actual, distance) => {
    expect(relativeDistance(expected, actual)).toBe(distance);
  });

  it("is infinite where there is nothing to compare with", () => {
    expect(relativeDistance(floats(0), undefined)).toBe(Infinity);
  });
});

it("sums squares of what differs, and of what was expected", () => {
  expect(distanceOf(floats(3, -4, Infinity), floats(1, -4, Infinity))).toEqual({
    difference: 2,
    scale: 4,
    noise: 4,
    signal: 25,
  });
  expect(distanceOf(floats(3, -4), floats(3, nan))).toMatchObject({ noise: Infinity, signal: 25 });
});
