import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { compare, differenceOfNumbers } from "../run-model.test.support.js";

const floats = (dims: readonly number[], values: readonly number[]) => ({
  x: { type: "float32" as const, dims, data: Float32Array.from(values) },
});

/** Of rows, and of columns. */
const rowsOf = (op: string, width: number, height: number, axis: number) =>
  graphOf({ x: ["float32", height, width] }, (input, b) => ({
    y: b.add(op, [input("x"), b.ints([axis])], { keepdims: attribute.int(0) }),
  }));

it("takes the logarithm of sums of what is infinite", async () => {
  const rows = [
    [-Infinity, -Infinity, -Infinity],
    [Infinity, 1, 2],
    [-Infinity, 1, 2],
    [Infinity, -Infinity, 0],
    [Number.NaN, 1, 2],
    [100, 200, 300],
  ];
  const columns = [0, 1, 2].flatMap((at) => rows.map((row) => row[at] ?? 0));
  const [count, width] = [rows.length, 3];
  const along = rowsOf("ReduceLogSumExp", width, count, 1);
  expect(await differenceOfNumbers(along, floats([count, width], rows.flat()))).toBeUndefined();
  const across = rowsOf("ReduceLogSumExp", count, width, 0);
  expect(await differenceOfNumbers(across, floats([width, count], columns))).toBeUndefined();
});

it.each(["ReduceMax", "ReduceMin"])(
  "forgets nothing that comes before no number: %s",
  async (op) => {
    for (const row of [
      [5, Number.NaN, 1],
      [1, 5, Number.NaN],
      [Number.NaN, 5, 1],
      [Number.NaN, Number.NaN, Number.NaN],
      // More than are written without a loop.
      [5, Number.NaN, ...Array.from({ length: 18 }, (_, at) => at - 20)],
    ]) {
      const along = rowsOf(op, row.length, 1, 1);
      expect(await differenceOfNumbers(along, floats([1, row.length], row))).toBeUndefined();
      const columns = row.flatMap((x) => [x, x, x, x, x]);
      const across = rowsOf(op, 5, row.length, 0);
      expect(await differenceOfNumbers(across, floats([row.length, 5], columns))).toBeUndefined();
    }
  },
);

it.each(["MaxPool", "GlobalMaxPool"])("passes over what is no number: %s", async (op) => {
  for (const row of [
    [5, Number.NaN, 1],
    [1, 5, Number.NaN],
  ]) {
    const graph = graphOf({ x: ["float32", 1, 1, 1, 3] }, (input, b) => ({
      y: b.add(op, [input("x")], op === "MaxPool" ? { kernel_shape: attribute.ints([1, 3]) } : {}),
    }));
    expect(await differenceOfNumbers(graph, floats([1, 1, 1, 3], row))).toBeUndefined();
  }
});

it.each(["ReduceSum", "ReduceMax"])(
  "leaves the zeros around what a convolution reads: %s",
  async (op) => {
    const graph = graphOf({ x: ["float32", 1, 3, 6, 5] }, (input, b) => {
      // Lanes that pad hold ½.
      const shares = b.add("Sigmoid", [b.add("MatMul", [input("x"), b.weights(5, 6)])]);
      const reduced = b.add(op, [shares, b.ints([1])], { keepdims: attribute.int(1) });
      const pads = { pads: attribute.ints([1, 1, 1, 1]) };
      return { y: b.add("Conv", [reduced, b.weights(2, 1, 3, 3)], pads) };
    });
    expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
  },
);
