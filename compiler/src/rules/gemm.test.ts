import { describe, expect, it } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { gemms } from "./gemm.js";
import { apply, either, graphOf, madeUp, onEngine } from "./rule-case.test.support.js";

type Side = "left" | "right";

/** A transposed input times a vector, which is on the named side. */
function product(dims: readonly number[], perm: readonly number[], side: Side): Graph {
  return graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const transposed = b.add("Transpose", [input("x")], { perm: attribute.ints(perm) });
    const vector = b.weights(dims[perm[perm.length - (side === "left" ? 2 : 1)] ?? 0] ?? 1);
    return { y: b.add("MatMul", side === "left" ? [vector, transposed] : [transposed, vector]) };
  });
}

describe("a product of what is transposed and a vector", () => {
  it.each<[string, readonly number[], readonly number[], Side]>([
    ["a matrix by a vector", [2, 3], [1, 0], "right"],
    ["a vector by a matrix", [2, 3], [1, 0], "left"],
    ["matrices by a vector", [4, 2, 3], [0, 2, 1], "right"],
    ["a vector by matrices", [5, 4, 2, 3], [0, 1, 3, 2], "left"],
  ])("is one from the other side: %s", async (_, dims, perm, side) => {
    const graph = product(dims, perm, side);
    const feeds = madeUp(graph, {});
    const expected = await evaluateGraph(graph, feeds);
    expect((await apply(gemms, graph)).ops).toEqual(["MatMul"]);
    // What the engine makes of the graph as it was is another thing: it is wrong for a vector on the right.
    const { y } = await onEngine(graph, feeds);
    expect(y?.dims).toEqual(expected["y"]?.dims);
    for (const [at, value] of Array.from(expected["y"]?.data ?? [], Number).entries())
      expect(Number(y?.data[at])).toBeCloseTo(value, 5);
  });

  it.each<[string, Graph]>([
    ["where other axes are swapped", product([4, 2, 3], [1, 0, 2], "right")],
    ["where all are turned", product([4, 2, 3], [1, 2, 0], "right")],
    [
      "where it is a matrix of one column",
      graphOf({ x: ["float32", 2, 3] }, (input, b) => ({
        y: b.add("MatMul", [
          b.add("Transpose", [input("x")], { perm: attribute.ints([1, 0]) }),
          b.weights(2, 1),
        ]),
      })),
    ],
  ])("stays %s", async (_, graph) => {
    expect((await apply(gemms, graph)).ops).toEqual(["Transpose", "MatMul"]);
  });
});

it.each<[string, readonly number[] | null, readonly string[]]>([
  ["a number for each column is its C", [3], ["Gemm"]],
  ["a number for each column of one row is its C", [1, 3], ["Gemm"]],
  ["one number for all is added", [1], ["MatMul", "Add"]],
  ["one for each row is added", [2, 1], ["MatMul", "Add"]],
  ["what is computed is added", null, ["MatMul", "Relu", "Add"]],
])("of a product and what is added: %s", async (_, dims, expected) => {
  const graph = graphOf({ x: ["float32", 2, 4], r: ["float32", 2, 3] }, (input, b) => {
    const product = b.add("MatMul", [input("x"), b.weights(4, 3)]);
    return {
      y: b.add("Add", [product, dims === null ? b.add("Relu", [input("r")]) : b.weights(...dims)]),
    };
  });
  expect((await apply(gemms, graph)).ops).toEqual(expected);
});

it("leaves a product that only a branch reads where it is", async () => {
  const graph = graphOf({ x: ["float32", 2, 3], c: ["bool"] }, (input, b) => {
    const product = b.add("MatMul", [input("x"), b.weights(3, 4)]);
    const sum = either(
      b,
      input("c"),
      (inner) => inner.add("Add", [product, inner.weights(4)]),
      (inner) => inner.add("Expand", [input("x"), inner.ints([2, 3])]),
    );
    return { y: b.add("Neg", [sum]) };
  });
  const { ops } = await apply(gemms, graph);
  expect(ops).toContain("MatMul");
  expect(ops).not.toContain("Gemm");
});
