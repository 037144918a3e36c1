import { expect, it } from "vitest";
import { evaluateGraph } from "./execute.js";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";

it("has powers of one as IEEE 754 does", async () => {
  const graph = graphOf({ x: ["float32", 4], y: ["float32", 4] }, (input, b) => ({
    z: b.add("Pow", [input("x"), input("y")]),
  }));
  const feed = (...numbers: readonly number[]) => ({
    type: "float32" as const,
    dims: [4],
    data: Float32Array.from(numbers),
  });
  const feeds = { x: feed(1, 1, -1, -1), y: feed(NaN, Infinity, -Infinity, NaN) };
  const { z } = await evaluateGraph(graph, feeds);
  expect([...(z?.data ?? [])]).toEqual([1, 1, 1, NaN]);
});

it.each([
  ["ReduceMax", -(2n ** 63n)],
  ["ReduceMin", 2n ** 63n - 1n],
] as const)("has as the %s of nothing the end of its type", async (op, end) => {
  const graph = graphOf({ x: ["int64", 2, 0] }, (input, b) => ({
    y: b.add(op, [input("x"), b.ints([1])], { keepdims: attribute.int(0) }),
  }));
  const x = { type: "int64" as const, dims: [2, 0], data: new BigInt64Array(0) };
  const { y } = await evaluateGraph(graph, { x });
  expect([...(y?.data ?? [])]).toEqual([end, end]);
});
