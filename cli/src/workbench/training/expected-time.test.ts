import { expect, it } from "vitest";
import { ExpectedTime } from "./expected-time.js";

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
