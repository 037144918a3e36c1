import { floatsToHalves, goldenFeeds, goldenInputs, type Tensors } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { goldenSample } from "./golden-sample.js";

const sample = {
  pixels: { type: "float32", dims: [1, 3], data: Float32Array.of(1 / 3, -1e-7, 16777216) },
  halves: { type: "float16", dims: [2], data: floatsToHalves([0.1, -2]) },
  ids: { type: "int64", dims: [2], data: BigInt64Array.of(-1n, 9007199254740991n) },
  flag: { type: "bool", dims: [], data: Uint8Array.of(1) },
  words: { type: "string", dims: [2], data: ["a", "ß"] },
} satisfies Tensors;

it("is what the golden check feeds, to the bit", () => {
  const infos = Object.entries(sample).map(([name, { type, dims }]) => ({ name, type, dims }));
  const inputs = goldenInputs(infos, 1, goldenSample(sample));
  expect(goldenFeeds(JSON.parse(JSON.stringify(inputs)))).toEqual(sample);
});

it.each<[string, Tensors, RegExp]>([
  [
    "is too large",
    { x: { type: "float32", dims: [9000], data: new Float32Array(9000).fill(1 / 3) } },
    /takes \d+ kB as text, and the golden check of a bundle has 24 kB/,
  ],
  [
    "holds what is no number",
    { x: { type: "float32", dims: [1], data: Float32Array.of(Number.NaN) } },
    /holds NaN for "x"/,
  ],
  [
    "holds a whole number that JSON rounds",
    { x: { type: "int64", dims: [1], data: BigInt64Array.of(2n ** 60n) } },
    /holds 1152921504606846976 for "x"/,
  ],
])("is refused where it %s", (_, feeds, message) => {
  expect(() => goldenSample(feeds)).toThrow(message);
  expect(() => goldenSample(feeds)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
});
