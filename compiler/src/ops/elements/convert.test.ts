import { expect, it } from "vitest";
import { convert } from "./convert.js";

it("prints floats as engines do", () => {
  const numbers = [1, 0.1, 1e10, 1e-7, 123456789, 0.0001, 12345678, -0, Infinity];
  const from = { type: "float32", dims: [9], data: Float32Array.from(numbers) } as const;
  const texts = ["1", "0.1", "1e+10", "1e-07", "1.2345679e+08", "0.0001", "12345678", "-0", "INF"];
  expect(convert(from, "string").data).toEqual(texts);
});

it.each([
  ["int4", [-9, 8, 7, 17], [7, -8, 7, 1]],
  ["uint4", [-9, 8, 7, 17], [7, 8, 7, 1]],
] as const)("keeps the lowest bits of integers as %s", (type, given, wanted) => {
  const from = { type: "int32", dims: [4], data: Int32Array.from(given) } as const;
  const back = convert(convert(from, type), "int32");
  expect([...back.data]).toEqual(wanted);
});
