import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../../ir/index.js";
import { type Builder, type Declared, opsOf } from "../../rules/rule-case.test.support.js";
import { normalizeGraph } from "../normalize.js";
import { old, sameAfter } from "./opset-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const { floats, string } = attribute;

const image: Declared = ["float32", 1, 2, 4, 6];

describe("what resizes, raised to opset 21, gives on the engine what it gave", () => {
  it.each<[string, number, Declared, string[], Build]>([
    [
      "Upsample by attribute, nearest",
      8,
      image,
      ["Resize"],
      (x, b) => b.add("Upsample", [x], { scales: floats([1, 1, 3, 2]) }),
    ],
    [
      "Upsample by input, linear",
      9,
      image,
      ["Resize"],
      (x, b) => b.add("Upsample", [x, b.floats([1, 1, 2.5, 3])], { mode: string("linear") }),
    ],
    [
      "Resize of opset 10, nearest, larger",
      10,
      image,
      ["Resize"],
      (x, b) => b.add("Resize", [x, b.floats([1, 1, 1.7, 3])]),
    ],
    [
      "Resize of opset 10, nearest, smaller",
      10,
      image,
      ["Resize"],
      (x, b) => b.add("Resize", [x, b.floats([1, 1, 0.6, 0.5])]),
    ],
    [
      "Resize of opset 10, nearest, smaller along one axis and larger along another",
      10,
      ["float32", 1, 2, 7, 6],
      ["Max", "Resize", "Min", "Resize"],
      (x, b) => b.add("Resize", [x, b.floats([1, 1, 0.6, 1.7])]),
    ],
    ...[0.6, 1.7].map((scale): [string, number, Declared, string[], Build] => [
      `Resize of opset 10, nearest, by ${scale}, which is computed`,
      10,
      ["float32", 1, 2, 7, 6],
      ["Exp", "Max", "Resize", "Min", "Resize"],
      (x, b) => {
        const log = Math.log(scale);
        return b.add("Resize", [x, b.add("Exp", [b.floats([0, 0, log, log])])]);
      },
    ]),
    [
      "Upsample of integers",
      8,
      ["int32", 1, 2, 4, 6],
      ["Resize"],
      (x, b) => b.add("Upsample", [x], { scales: floats([1, 1, 2, 3]) }),
    ],
    [
      "Resize of opset 10, linear",
      10,
      image,
      ["Resize"],
      (x, b) => b.add("Resize", [x, b.floats([1, 1, 0.7, 2])], { mode: string("linear") }),
    ],
    [
      "Resize of opset 11 with empty inputs",
      11,
      image,
      ["Resize"],
      (x, b) =>
        b.add("Resize", [x, b.floats([], [0]), b.floats([], [0]), b.ints([1, 2, 8, 9])], {
          mode: string("linear"),
        }),
    ],
  ])("%s (opset %i)", async (_, opset, input, expected, build) => {
    const raised = await sameAfter(old(opset, input, build), normalizeGraph);
    expect(opsOf(raised)).toEqual(expected);
  });
});
