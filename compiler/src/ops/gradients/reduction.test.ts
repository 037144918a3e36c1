import { describe, expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import {
  type Case,
  checkGradients,
  floatsOf,
  load,
  type Values,
  withGradients,
} from "../../train/gradient-check.test.support.js";
import { one, only } from "./case.test.support.js";

const { int } = attribute;

const reductions: readonly (readonly [op: string, values: Values])[] = [
  ["ReduceSum", "normal"],
  ["ReduceMean", "normal"],
  ["ReduceSumSquare", "normal"],
  ["ReduceL1", "kinked"],
  ["ReduceL2", "normal"],
  ["ReduceLogSum", "positive"],
  ["ReduceLogSumExp", "normal"],
  ["ReduceProd", "kinked"],
  ["ReduceMax", "distinct"],
  ["ReduceMin", "distinct"],
];

checkGradients("gradients of reductions", [
  ...reductions.flatMap(([op, values]): Case[] =>
    [0, 1].map((keepdims) => ({
      name: `${op}, keepdims ${keepdims}`,
      shapes: [[2, 3, 4]],
      build: ([x], { add, ints }) => add(op, [only(x), ints([0, -1])], { keepdims: int(keepdims) }),
      values,
    })),
  ),
  { name: "ReduceSum of all", shapes: [[2, 3]], build: one("ReduceSum", { keepdims: int(0) }) },
  {
    name: "ReduceSum of none",
    shapes: [[2, 3]],
    build: one("ReduceSum", { noop_with_empty_axes: int(1) }),
  },
  {
    name: "ReduceProd of none",
    shapes: [[2, 3]],
    build: one("ReduceProd", { noop_with_empty_axes: int(1) }),
  },
  ...[0, 1, 2, 3].map((kind): Case => ({
    name: `CumSum, exclusive ${kind & 1}, reverse ${kind >> 1}`,
    shapes: [[2, 4]],
    build: ([x], { add, ints }) =>
      add("CumSum", [only(x), ints([1], [])], {
        exclusive: int(kind & 1),
        reverse: int(kind >> 1),
      }),
  })),
  {
    name: "TopK",
    shapes: [[2, 5]],
    build: ([x], { many, ints }) => only(many("TopK", 2, [only(x), ints([3])])[0]),
    values: "distinct",
  },
]);

describe("the extremum of equal elements", () => {
  it("shares its cotangent among them", async () => {
    const graph = graphOf({ x: ["float32", 2, 4] }, (input, { add, ints }) => ({
      y: add("ReduceMax", [input("x"), ints([1])]),
    }));
    withGradients(graph, "cpu");
    const session = await load(graph);
    const results = await session.run({
      x: { type: "float32", dims: [2, 4], data: Float32Array.of(1, 3, 3, 0, 2, 2, 2, 2) },
      "weights of y": { type: "float32", dims: [2, 1], data: Float32Array.of(1, 8) },
    });
    await session.dispose();
    expect([...floatsOf(results["x.gradient"])]).toEqual([0, 0.5, 0.5, 0, 2, 2, 2, 2]);
  });

  it("of norms at 0 is 0, not NaN", async () => {
    const graph = graphOf({ x: ["float32", 1, 2] }, (input, { add }) => ({
      y: add("ReduceL2", [input("x")]),
    }));
    withGradients(graph, "cpu");
    const session = await load(graph);
    const results = await session.run({
      x: { type: "float32", dims: [1, 2], data: Float32Array.of(0, 0) },
      "weights of y": { type: "float32", dims: [1, 1], data: Float32Array.of(1) },
    });
    await session.dispose();
    expect([...floatsOf(results["x.gradient"])]).toEqual([0, 0]);
  });
});

describe("a product with zeros in it", () => {
  it("varies with the only one alone, and with none of two", async () => {
    const graph = graphOf({ x: ["float32", 3, 3] }, (input, { add, ints }) => ({
      y: add("ReduceProd", [input("x"), ints([1])], { keepdims: int(0) }),
    }));
    withGradients(graph, "cpu");
    const session = await load(graph);
    const results = await session.run({
      x: {
        type: "float32",
        dims: [3, 3],
        data: Float32Array.of(2, 3, 4, 2, 0, 5, 0, 0, 7),
      },
      "weights of y": { type: "float32", dims: [3], data: Float32Array.of(1, 10, 1) },
    });
    await session.dispose();
    const gradient = [...floatsOf(results["x.gradient"])].map((value) => value + 0);
    expect(gradient).toEqual([12, 8, 6, 0, 100, 0, 0, 0, 0]);
  });
});
