import { describe, expect, it } from "vitest";
import { attribute } from "../ir/index.js";
import { randomFrom } from "../passes/scramble.test.support.js";
import { reshapeIndices } from "./gathers.js";
import { apply, graphOf } from "./rule-case.test.support.js";

const axis = (value: number) => ({ axis: attribute.int(value) });

describe("reshape-indices", () => {
  it("gathers by a number where a Squeeze drops the axis", async () => {
    const graph = graphOf({ x: ["float32", "N", 3] }, (x, b) => ({
      y: b.add("Squeeze", [b.add("Gather", [x("x"), b.ints([2])], axis(1)), b.ints([1])]),
    }));
    expect((await apply(reshapeIndices, graph)).ops).toEqual(["Gather"]);
  });

  it("gathers by a list of one where an Unsqueeze adds the axis", async () => {
    const graph = graphOf({ x: ["float32", "N", 3] }, (x, b) => ({
      y: b.add("Unsqueeze", [
        b.add("Gather", [b.add("Shape", [x("x")]), b.ints([0], [])], axis(-1)),
        b.ints([0]),
      ]),
    }));
    expect((await apply(reshapeIndices, graph)).ops).toEqual(["Shape", "Gather"]);
  });

  it("leaves an axis that is not the indices' own", async () => {
    const graph = graphOf({ x: ["float32", 1, 3] }, (x, b) => ({
      y: b.add("Squeeze", [b.add("Gather", [x("x"), b.ints([2])], axis(1)), b.ints([0, 1])]),
      z: b.add("Unsqueeze", [b.add("Gather", [x("x"), b.ints([2], [])], axis(1)), b.ints([0])]),
    }));
    expect((await apply(reshapeIndices, graph)).ops).toEqual([
      "Gather",
      "Squeeze",
      "Gather",
      "Unsqueeze",
    ]);
  });

  it("leaves indices that are computed, and a Gather that something else reads", async () => {
    const graph = graphOf({ x: ["float32", "N", 3], i: ["int64", 1] }, (x, b) => {
      const shared = b.add("Gather", [x("x"), b.ints([2])], axis(1));
      return {
        y: b.add("Squeeze", [b.add("Gather", [x("x"), b.add("Abs", [x("i")])]), b.ints([0])]),
        z: b.add("Squeeze", [shared, b.ints([1])]),
        shared: b.add("Relu", [shared]),
      };
    });
    const { ops } = await apply(reshapeIndices, graph, { N: 4 });
    expect(ops.filter((op) => op === "Squeeze")).toHaveLength(2);
  });

  it("gives the same elements, whatever is gathered and reshaped", async () => {
    const random = randomFrom(5);
    const integer = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
    for (let round = 0; round < 200; round += 1) {
      const shape = Array.from({ length: integer(1, 3) }, () => integer(1, 4));
      const at = integer(0, shape.length - 1);
      const own = Array.from({ length: integer(0, 2) }, () => integer(1, 2));
      const indices = Array.from({ length: own.reduce((a, c) => a * c, 1) }, () =>
        integer(-(shape[at] ?? 1), (shape[at] ?? 1) - 1),
      );
      const gathered = [...shape.slice(0, at), ...own, ...shape.slice(at + 1)];
      const ones = gathered.flatMap((size, place) => (size === 1 ? [place] : []));
      const squeezes = ones.length > 0 && random() < 0.5;
      const place = squeezes
        ? (ones[integer(0, ones.length - 1)] ?? 0)
        : integer(0, gathered.length);
      const rank = gathered.length + (squeezes ? 0 : 1);
      const graph = graphOf({ x: ["float32", ...shape] }, (x, b) => ({
        y: b.add(squeezes ? "Squeeze" : "Unsqueeze", [
          b.add(
            "Gather",
            [x("x"), b.ints(indices, own)],
            axis(random() < 0.5 ? at : at - shape.length),
          ),
          b.ints([random() < 0.5 ? place : place - rank]),
        ]),
      }));
      const isTheirs = place >= at && place < at + own.length + (squeezes ? 0 : 1);
      expect((await apply(reshapeIndices, graph)).ops).toHaveLength(isTheirs ? 1 : 2);
    }
  });
});
