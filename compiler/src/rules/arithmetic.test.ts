import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { arithmetic } from "./arithmetic.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const to = (code: number) => ({ to: attribute.int(code) });

function single(build: Build) {
  return graphOf({ x: ["float32", "N", 3], i: ["int32", "N", 3] }, (x, b) => ({
    y: b.add("Relu", [build(x("x"), b)]),
    z: b.add("Abs", [x("i")]),
  }));
}

describe("arithmetic", () => {
  it.each<[string, string[], Build]>([
    ["x / 4 is x · ¼", ["Mul"], (x, b) => b.add("Div", [x, b.floats([4])])],
    [
      "x · 2 · 3",
      ["Mul"],
      (x, b) => b.add("Mul", [b.floats([3]), b.add("Mul", [x, b.floats([2])])]),
    ],
    [
      "x + 2 + 3",
      ["Add"],
      (x, b) => b.add("Add", [b.add("Add", [b.floats([2]), x]), b.floats([3])]),
    ],
    ["x²", ["Mul"], (x, b) => b.add("Pow", [x, b.floats([2])])],
    ["√|x|", ["Abs", "Sqrt"], (x, b) => b.add("Pow", [b.add("Abs", [x]), b.floats([0.5])])],
    [
      "Concat of Concat",
      ["Concat"],
      (x, b) =>
        b.add("Concat", [b.add("Concat", [x, x], { axis: attribute.int(0) }), x], {
          axis: attribute.int(0),
        }),
    ],
    [
      "Concats within Concats, in order",
      ["Abs", "Concat"],
      (x, b) => {
        const concat = (...parts: ValueId[]) => b.add("Concat", parts, { axis: attribute.int(0) });
        const other = b.add("Abs", [x]);
        return concat(other, concat(x, concat(x, other), other), concat(other, x));
      },
    ],
    [
      "an operand of Concat that is empty: what made it is no longer read",
      ["Slice", "Concat"],
      (x, b) => {
        const rest = b.add("Slice", [x, b.ints([1000]), b.ints([2000]), b.ints([0])]);
        return b.add("Concat", [x, rest, x], { axis: attribute.int(-2) });
      },
    ],
    [
      "a Cast there and back through a wider type",
      ["Cast"],
      (x, b) => b.add("Cast", [b.add("Cast", [x], to(11))], to(1)),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(arithmetic, single(build))).ops).toEqual([...expected, "Relu", "Abs"]);
  });

  it.each<[string, string[], Build]>([
    ["x / 3", ["Div"], (x, b) => b.add("Div", [x, b.floats([3])])],
    ["x³", ["Pow"], (x, b) => b.add("Pow", [x, b.floats([3])])],
    [
      "a mean of x², by which an engine knows a normalization",
      ["Pow", "ReduceMean"],
      (x, b) => b.add("ReduceMean", [b.add("Pow", [x, b.floats([2])]), b.ints([-1])]),
    ],
    [
      "a sum that rounds to whole numbers",
      ["Add", "Add"],
      (x, b) => b.add("Add", [b.add("Add", [x, b.floats([12_582_912])]), b.floats([-12_582_912])]),
    ],
    [
      "a product that would be 0",
      ["Mul", "Mul"],
      (x, b) => b.add("Mul", [b.add("Mul", [x, b.floats([1e-30])]), b.floats([1e-30])]),
    ],
    [
      "numbers per column",
      ["Mul", "Mul"],
      (x, b) => b.add("Mul", [b.add("Mul", [x, b.floats([1, 2, 3])]), b.floats([2])]),
    ],
    [
      "Concats along two axes",
      ["Concat", "Concat"],
      (x, b) =>
        b.add(
          "Concat",
          [
            b.add("Concat", [x, x], { axis: attribute.int(0) }),
            b.add("Concat", [x, x], { axis: attribute.int(0) }),
          ],
          { axis: attribute.int(1) },
        ),
    ],
    [
      "a Cast through integers",
      ["Cast", "Cast"],
      (x, b) => b.add("Cast", [b.add("Cast", [x], to(6))], to(1)),
    ],
  ])("leaves %s", async (_, expected, build) => {
    const { ops } = await apply(arithmetic, single(build));
    expect(ops.slice(0, expected.length)).toEqual(expected);
  });
});
