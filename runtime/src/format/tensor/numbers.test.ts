import { expect, it } from "vitest";
import type { Dtype, TypedArray } from "./dtype.js";
import { numbersOf } from "./numbers.js";

it.each<[Dtype, TypedArray | readonly string[], ArrayLike<number> | null]>([
  [
    "float16",
    Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00),
    Float32Array.of(1, -2, 2 ** -24, Infinity),
  ],
  ["bfloat16", Uint16Array.of(0x3f80, 0xc000, 0x7f80), Float32Array.of(1, -2, Infinity)],
  ["uint16", Uint16Array.of(0x3c00), Float64Array.of(0x3c00)],
  ["int64", BigInt64Array.of(-(2n ** 40n)), Float64Array.of(-(2 ** 40))],
  ["bool", Uint8Array.of(0, 1), Float64Array.of(0, 1)],
  ["uint4", Uint8Array.of(0x21), null],
  ["string", ["1"], null],
])("%s are read as the numbers they are", (type, data, numbers) => {
  expect(numbersOf({ type, dims: [data.length], data })).toEqual(numbers);
});

it("gives float32 as it is held", () => {
  const data = Float32Array.of(1, 2);
  expect(numbersOf({ type: "float32", dims: [2], data })).toBe(data);
});
