import { expect, it } from "vitest";
import { build, dim, type Graph, inferNode, newHeader, Tensor, tensorType } from "@pare/compiler";
import { ExpectedTime, runShare } from "./expected-time.js";

function told(steps: readonly (readonly [ms: number, runs: number])[]): readonly string[] {
  const notes: string[] = [];
  let now = 0;
  const expected = new ExpectedTime(
    { test: 1000, tests: 3, learning: 57_000 },
    { note: (line) => void notes.push(line) },
    () => now,
  );
  for (const [ms, runs] of steps) {
    now = ms;
    expected.ran(runs);
  }
  return notes;
}

it("says once how long all runs take, from those after the first, which loads the model", () => {
  expect(
    told([
      [3000, 1],
      [3100, 51],
      [3500, 251],
      [3600, 301],
      [9000, 1000],
    ]),
  ).toEqual(["In all it will take up to 2 min."]);
});

it("says it at the end of a test that is over at once", () => {
  expect(
    told([
      [0, 1],
      [111, 1000],
    ]),
  ).toEqual(["In all it will take up to 7 s."]);
  expect(told([[0, 1000]])).toEqual([]);
});

/** A product of two numbers and so many columns. */
function product(columns: number | null): Graph {
  return build(newHeader(), inferNode, (editor) => {
    const size = columns ?? dim.symbol("n");
    const x = editor.addInput("x", tensorType("float32", [1, 2]));
    const w =
      columns === null
        ? editor.addInput("w", tensorType("float32", [2, size]))
        : editor.constant("w", Tensor.float32([2, columns], new Float32Array(2 * columns)));
    editor.addOutput(editor.add1("MatMul", [x, w], {}, { outputs: ["y"] }));
  });
}

it("expects of a model that computes less that it takes less, and of one that cannot be counted as much", () => {
  expect(runShare(product(4), product(4))).toBe(1);
  expect(runShare(product(2), product(4))).toBeCloseTo(0.625);
  expect(runShare(product(8), product(4))).toBeGreaterThan(1);
  expect(runShare(product(null), product(4))).toBe(1);
  expect(runShare(product(4), product(null))).toBe(1);
});
