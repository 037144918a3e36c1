import type { ValueInfo } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { fitFeeds } from "./fit-feeds.js";

const image = (name: string): ValueInfo => ({ name, type: "float32", dims: [10, 3, 2, 2] });
const feed = (dims: readonly number[]) => ({
  type: "float32" as const,
  dims,
  data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)),
});

it("loses no input for its name", () => {
  const info: ValueInfo = { name: "__proto__", type: "float32", dims: ["N", 2] };
  const { feeds, bare } = fitFeeds([info], { ["__proto__"]: Float32Array.of(1, 2) }, "a");
  expect(Object.entries(feeds)).toEqual([
    ["__proto__", { type: "float32", dims: [1, 2], data: Float32Array.of(1, 2) }],
  ]);
  expect(bare).toEqual(["__proto__"]);
});

it("rounds floats for an input in float16, whichever way they are given", () => {
  const info: ValueInfo = { name: "x", type: "float16", dims: ["N", 2] };
  const bits = Uint16Array.of(0x3c00, 0xc100);
  const expected = { x: { type: "float16", dims: [1, 2], data: bits } };
  const floats = Float32Array.of(1, -2.5);
  for (const x of [floats, { type: "float32" as const, dims: [1, 2], data: floats }, bits])
    expect(fitFeeds([info], { x }, "a").feeds).toEqual(expected);
  const narrow: ValueInfo = { ...info, type: "int32" };
  expect(() => fitFeeds([narrow], { x: floats }, "a")).toThrow(
    expect.objectContaining({ code: "DATA_MISMATCH" }),
  );
});

it("widens floats for an input in float64", () => {
  const info: ValueInfo = { name: "x", type: "float64", dims: ["N", 2] };
  const data = Float64Array.of(1, -2.5);
  const floats = Float32Array.from(data);
  for (const x of [floats, { type: "float32" as const, dims: [1, 2], data: floats }, data])
    expect(fitFeeds([info], { x }, "a").feeds).toEqual({
      x: { type: "float64", dims: [1, 2], data },
    });
});

describe("a sample of another size than the file declares", () => {
  it("is refused with the option that gives the model its size", () => {
    expect(() => fitFeeds([image("input.1")], { "input.1": feed([1, 3, 4, 4]) }, "a")).toThrow(
      expect.objectContaining({
        code: "DATA_MISMATCH",
        hint: expect.stringContaining("--shape input.1=1x3x4x4"),
      }),
    );
  });

  it("is told so where its dims are in another order", () => {
    const info: ValueInfo = { name: "x", type: "float32", dims: ["N", 3, 8, 8] };
    expect(() => fitFeeds([info], { x: feed([1, 8, 8, 3]) }, "a")).toThrow(
      expect.objectContaining({
        hint: 'The dims of "x" are in another order: transpose what the data gives to [N, 3, 8, 8].',
      }),
    );
  });

  it.each([
    ["of other channels, which a file fixes", image("x"), feed([1, 1, 4, 4])],
    ["another rank", image("x"), feed([3, 4, 4])],
    ["a name that is no word", image("x; rm"), feed([1, 3, 4, 4])],
  ])("is refused with what it takes where it is %s", (_, info, given) => {
    expect(() => fitFeeds([info], { [info.name]: given }, "a")).toThrow(
      expect.objectContaining({ hint: expect.not.stringContaining("--shape") }),
    );
  });
});

it("says how NumPy's own floats become the model's", () => {
  const x = { type: "float64" as const, dims: [10, 3, 2, 2], data: new Float64Array(120) };
  expect(() => fitFeeds([image("x")], { x }, "a")).toThrow(
    expect.objectContaining({ hint: 'Save "x" as float32: array.astype(numpy.float32).' }),
  );
});
