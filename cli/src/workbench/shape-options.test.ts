import { expect, it } from "vitest";
import { parseManyShapes, parseShapes } from "./shape-options.js";

it("takes one size of a dim, and several where it may", () => {
  const options = {
    dim: [
      ["sequence", "128"],
      ["width", "160,320"],
      ["width", "640"],
      ["N", "2"],
      ["N", "2"],
    ],
    shape: [["x", "1x3x224"]],
    const: [["sr", "16000"]],
  } as const;
  expect(parseManyShapes(options)).toEqual({
    shapes: { x: [1, 3, 224] },
    dims: { sequence: 128, N: 2 },
    sizes: { width: [160, 320, 640] },
    constants: { sr: 16000 },
  });
  expect(() => parseShapes(options)).toThrow("--dim width has several sizes");
  expect(parseShapes({ dim: [["N", "1"]] })).toEqual({ shapes: {}, dims: { N: 1 }, constants: {} });
});

it.each(["", "1,", "1.5", "-1", "one", "1,two", "99999999999999999999"])(
  "takes no %j for a size",
  (text) => {
    expect(() => parseManyShapes({ dim: [["N", text]] })).toThrow("is no size");
  },
);

it("takes 0 for a size, and nothing for none", () => {
  const parse = (shape: string) => parseShapes({ shape: [["x", shape]] }).shapes["x"];
  expect(parse("1x0X8")).toEqual([1, 0, 8]);
  expect(parse("")).toEqual([]);
  expect(parseShapes({ dim: [["p", "0"]] }).dims).toEqual({ p: 0 });
  for (const text of ["1x", "x1", "1x-1", "1x1e3", "1x 2"])
    expect(() => parse(text)).toThrow("is no shape");
});

it("takes numbers with commas for a constant, and nothing for none", () => {
  const parse = (text: string) => parseShapes({ const: [["k", text]] }).constants["k"];
  expect([parse("1"), parse("1,0, 2"), parse("true")]).toEqual([1, [1, 0, 2], true]);
  for (const text of ["", " ", "1,,2", "1,", ",", "1,two"])
    expect(() => parse(text)).toThrow("is no value");
});
