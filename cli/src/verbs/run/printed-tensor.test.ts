import type { Tensor } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { elementsOf, previewOf } from "./printed-tensor.js";

const halves = Uint16Array.of(0x3c00, 0xc100, 0x3555);

it.each<readonly [string, Tensor, readonly unknown[], string]>([
  [
    "float16, which are held as bits",
    { type: "float16", dims: [3], data: halves },
    [1, -2.5, 0.333251953125],
    "1 -2.5 0.333252",
  ],
  [
    "bfloat16, which are too",
    { type: "bfloat16", dims: [2], data: Uint16Array.of(0x3f80, 0xc020) },
    [1, -2.5],
    "1 -2.5",
  ],
  [
    "uint16",
    { type: "uint16", dims: [3], data: halves },
    [15360, 49408, 13653],
    "15360 49408 13653",
  ],
  [
    "int64, as text where no number is exact",
    { type: "int64", dims: [2], data: BigInt64Array.of(7n, 2n ** 60n) },
    [7, "1152921504606846976"],
    "7 1152921504606846976",
  ],
  [
    "what is no finite number, as text",
    { type: "float32", dims: [3], data: Float32Array.of(NaN, Infinity, -Infinity) },
    ["NaN", "Infinity", "-Infinity"],
    "NaN Infinity -Infinity",
  ],
  ["text", { type: "string", dims: [1], data: ["seven"] }, ["seven"], "seven"],
])("prints %s", (_, tensor, elements, preview) => {
  expect(elementsOf(tensor)).toEqual(elements);
  expect(previewOf(tensor)).toBe(preview);
});

it("cuts a long one off on a line", () => {
  const data = Uint16Array.from({ length: 9 }, () => 0x3c00);
  expect(previewOf({ type: "float16", dims: [9], data })).toBe("1 1 1 1 1 1 1 1 …");
});
