import { describe, expect, it } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { type Declared, graphOf } from "../rules/rule-case.test.support.js";
import { nominalMacs, nominalSize, nominalSizes } from "./nominal-sizes.js";

/** So many convolutions, one after the other, each of which leaves half. */
function halving(count: number, ...x: Declared): Graph {
  return graphOf({ x }, (input, b) => {
    let last = input("x");
    for (let at = 0; at < count; at += 1)
      last = b.add("Conv", [last, b.weights(1, 1, 3)], { strides: attribute.ints([2]) });
    return { y: last };
  });
}

describe("what free sizes count as", () => {
  it.each([
    ["the usual number, where that is enough", 5, 64],
    ["as much more as windows want, one behind the other", 7, 256],
    ["no number, where none is enough", 17, null],
  ])("is %s", (_, count, size) => {
    const graph = halving(count, "float32", "N", 1, "L");
    expect(nominalSize(graph)).toBe(size);
    const macs = nominalMacs(graph);
    if (size === null) expect(macs).toBeNull();
    else expect(macs).toBeGreaterThan(0);
    const sizesOf = nominalSizes(graph);
    for (const { id } of graph.allValues())
      expect(Math.min(...(sizesOf(id) ?? [1]))).toBeGreaterThan(0);
  });

  it("counts what is made of sizes that are called otherwise, and are one number", () => {
    const graph = graphOf({ x: ["float32", 1, 3, "L"], z: ["float32", 1, 3, "M"] }, (input, b) => {
      const sum = b.add("Add", [input("x"), b.add("Relu", [input("z")])]);
      return { y: b.add("Conv", [sum, b.weights(4, 3, 1)]) };
    });
    expect(nominalMacs(graph)).toBe(64 * 12);
  });

  it("is no larger for what is empty and not multiplied", () => {
    const graph = graphOf({ x: ["float32", 1, 8, "L"] }, (input, b) => {
      const far = b.add("Slice", [input("x"), b.ints([64]), b.ints([999]), b.ints([2])]);
      return { y: b.add("Conv", [input("x"), b.weights(4, 8, 1)]), z: b.add("Relu", [far]) };
    });
    expect(graph.main.outputs.map(nominalSizes(graph))).toEqual([
      [1, 4, 64],
      [1, 8, 0],
    ]);
    expect(nominalSize(graph)).toBe(64);
    expect(nominalMacs(graph)).toBe(64 * 32);
  });
});
