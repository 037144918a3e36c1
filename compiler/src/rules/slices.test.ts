import { shapeOf } from "../ir/index.js";
import { describe, expect, it } from "vitest";
import { randomFrom } from "../passes/scramble.test.support.js";
import { simplifyRules } from "./index.js";

import { apply, type Builder, graphOf } from "./rule-case.test.support.js";
import { mergeSlices } from "./slices.js";

type Id = Parameters<Parameters<typeof graphOf>[1]>[0] extends (name: string) => infer Value
  ? Value
  : never;

/** A Slice of [start, end, axis, step] along each of some axes. */
const slice = (b: Builder, x: Id, ...cuts: readonly (readonly number[])[]): Id =>
  b.add("Slice", [x, ...[0, 1, 2, 3].map((part) => b.ints(cuts.map((cut) => cut[part] ?? 1)))]);
const end = Number.MAX_SAFE_INTEGER;

describe("merge-slices", () => {
  it("takes along all axes at once what two Slices share one for", async () => {
    const graph = graphOf({ x: ["float32", 1, 2, 6, "W"] }, (x, b) => {
      const rows = slice(b, x("x"), [1, end, 2, 2]);
      return {
        y: b.add("Concat", [slice(b, rows, [0, end, 3, 2]), slice(b, rows, [1, end, -1, 2])], {
          axis: { type: "int", value: 1n },
        }),
      };
    });
    expect((await apply(simplifyRules, graph, { W: 8 })).ops).toEqual(["Slice", "Slice", "Concat"]);
  });

  it("reads axes and steps that are not written", async () => {
    const graph = graphOf({ x: ["float32", 5, 7] }, (x, b) => ({
      y: slice(b, b.add("Slice", [x("x"), b.ints([-3]), b.ints([end])]), [6, -end, 1, -2]),
    }));
    expect((await apply(mergeSlices, graph)).ops).toEqual(["Slice"]);
  });

  it.each([
    ["along the same axis", (b, x) => slice(b, slice(b, x, [1, end, 0, 1]), [1, end, -2, 1])],
    [
      "where something else reads the first",
      (b, x) => {
        const first = slice(b, x, [0, 3, 0, 1]);
        return b.add("Add", [slice(b, first, [0, 1, 1, 1]), b.add("Relu", [first])]);
      },
    ],
  ] satisfies [string, (b: Builder, x: Id) => Id][])("leaves them %s", async (_, build) => {
    const graph = graphOf({ x: ["float32", 5, 7] }, (x, b) => ({ y: build(b, x("x")) }));
    expect((await apply(mergeSlices, graph)).ops.filter((op) => op === "Slice")).toHaveLength(2);
  });

  it("lets one that takes everything be dropped", async () => {
    const graph = graphOf({ x: ["float32", 5, 7] }, (x, b) => {
      const first = slice(b, x("x"), [0, 3, 0, 1]);
      return { y: b.add("Relu", [slice(b, first, [0, end, 1, 1])]) };
    });
    expect((await apply(simplifyRules, graph)).ops).toEqual(["Slice", "Relu"]);
    const [cut] = graph.order();
    expect(graph.constant(cut?.inputs[3])?.numbers()).toEqual([0]);
  });

  it("writes the end as exporters do, by which engines know it", async () => {
    const graph = graphOf({ x: ["float32", "H", "W"] }, (x, b) => ({
      y: slice(b, slice(b, x("x"), [1, end, 0, 2]), [end, -end, 1, -1]),
    }));
    await apply(mergeSlices, graph, { H: 5, W: 4 });
    const [cut] = graph.order();
    const ends = graph.constant(cut?.inputs[2]);
    expect([...((await ends?.readArray()) ?? [])]).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  });

  it("leaves the first where so many read it that the file would grow", async () => {
    const graph = graphOf({ x: ["float32", 5, 19] }, (x, b) => {
      const first = slice(b, x("x"), [0, 3, 0, 1]);
      const parts = Array.from({ length: 9 }, (_, at) => slice(b, first, [at, at + 9, 1, 1]));
      return { y: b.add("Sum", parts) };
    });
    expect((await apply(mergeSlices, graph)).ops).toHaveLength(11);
  });

  it("leaves the first where it is an output", async () => {
    const graph = graphOf({ x: ["float32", 5, 7] }, (x, b) => {
      const first = slice(b, x("x"), [0, 3, 0, 1]);
      return { first, y: slice(b, first, [0, 1, 1, 1]) };
    });
    await apply(mergeSlices, graph);
    expect(graph.journal).toEqual([]);
  });

  it("gives the same elements, whatever is taken", async () => {
    const random = randomFrom(11);
    const integer = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
    const cut = (): readonly [start: number, end: number, axis: number, step: number] => {
      const step = integer(1, 3) * (random() < 0.3 ? -1 : 1);
      const last = random() < 0.3 ? Math.sign(step) * end : integer(-7, 7);
      return [integer(-7, 7), last, integer(-3, 2), step];
    };
    const axisOf = ([, , axis]: ReturnType<typeof cut>): number => (axis + 3) % 3;
    for (let round = 0; round < 200; round += 1) {
      const first = cut();
      const others = Array.from({ length: integer(1, 2) }, cut);
      const dims = [integer(1, 4), integer(1, 5), integer(1, 6)];
      const graph = graphOf({ x: ["float32", ...dims] }, (x, b) => {
        const between = slice(b, x("x"), first);
        return Object.fromEntries(others.map((other, at) => [`y${at}`, slice(b, between, other)]));
      });
      const takesAll = others.map(([, , axis, step], at) => {
        const shape = shapeOf(graph, graph.main.outputs[at]);
        return step === 1 && shape?.at(axis) === dims.at(axis);
      });
      const merges = others.every((other, at) => axisOf(other) !== axisOf(first) && !takesAll[at]);
      const { ops } = await apply(mergeSlices, graph);
      expect(ops).toHaveLength(others.length + (merges ? 0 : 1));
    }
  });
});
