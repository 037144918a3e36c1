import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { foldInputAffine } from "./fold-input-affine.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const padded = { pads: attribute.ints([1, 1, 1, 1]) };
const scaled: Build = (x, b) => b.add("Mul", [b.floats([0.25], [1]), x]);
const shifted: Build = (x, b) => b.add("Add", [x, b.floats([-0.5], [1])]);

function single(build: Build) {
  return graphOf({ x: ["float32", 1, 4, 5, 5] }, (x, b) => ({ y: build(x("x"), b) }));
}

describe("fold-input-affine", () => {
  it.each<[string, string[], Build]>([
    [
      "a factor",
      ["Conv"],
      (x, b) => b.add("Conv", [scaled(x, b), b.weights(2, 4, 3, 3), b.weights(2)], padded),
    ],
    [
      "a factor per channel of a grouped Conv",
      ["Conv"],
      (x, b) =>
        b.add("Conv", [b.add("Mul", [x, b.weights(4, 1, 1)]), b.weights(6, 2, 3, 3)], {
          ...padded,
          group: attribute.int(2),
        }),
    ],
    [
      "a factor and a sum, without padding",
      ["Conv"],
      (x, b) => b.add("Conv", [shifted(scaled(x, b), b), b.weights(2, 4, 3, 3)]),
    ],
    [
      "a sum per channel of a depthwise Conv",
      ["Conv"],
      (x, b) =>
        b.add(
          "Conv",
          [b.add("Add", [x, b.weights(1, 4, 1, 1)]), b.weights(4, 1, 3, 3), b.weights(4)],
          { group: attribute.int(4) },
        ),
    ],
    [
      "a factor under a sum, with padding",
      ["Add", "Conv"],
      (x, b) =>
        b.add("Conv", [shifted(scaled(x, b), b), b.weights(4, 1, 3, 3)], {
          ...padded,
          group: attribute.int(4),
        }),
    ],
  ])("takes %s", async (_, expected, build) => {
    expect((await apply(foldInputAffine, single(build))).ops).toEqual(expected);
  });

  it.each<[string, string[], Build]>([
    [
      "a sum before padding",
      ["Add", "Conv"],
      (x, b) => b.add("Conv", [shifted(x, b), b.weights(2, 4, 3, 3)], padded),
    ],
    [
      "sums that round to whole numbers",
      ["Add", "Add", "Conv"],
      (x, b) => {
        const rounded = b.add("Add", [x, b.floats([12_582_912])]);
        return b.add("Conv", [
          b.add("Add", [rounded, b.floats([-12_582_912])]),
          b.weights(2, 4, 3, 3),
        ]);
      },
    ],
    [
      "a factor per pixel",
      ["Mul", "Conv"],
      (x, b) => b.add("Conv", [b.add("Mul", [x, b.weights(5, 5)]), b.weights(2, 4, 3, 3)]),
    ],
    [
      "a factor of 0 under a sum",
      ["Mul", "Add", "Conv"],
      (x, b) =>
        b.add(
          "Conv",
          [shifted(b.add("Mul", [x, b.floats([0])]), b), b.weights(2, 4, 3, 3)],
          padded,
        ),
    ],
  ])("leaves %s", async (_, expected, build) => {
    expect((await apply(foldInputAffine, single(build))).ops).toEqual(expected);
  });

  it("leaves a factor per channel that makes many channels of one", async () => {
    const graph = graphOf({ x: ["float32", 1, 1, 5, 5] }, (x, b) => ({
      y: b.add("Conv", [b.add("Mul", [x("x"), b.weights(1, 4, 1, 1)]), b.weights(2, 4, 3, 3)]),
    }));
    expect((await apply(foldInputAffine, graph)).ops).toEqual(["Mul", "Conv"]);
  });

  it("leaves a factor that is read elsewhere, and shared weights", async () => {
    const graph = graphOf({ x: ["float32", 1, 4, 5, 5] }, (x, b) => {
      const both = scaled(x("x"), b);
      return { y: b.add("Conv", [both, b.weights(2, 4, 3, 3)]), z: b.add("Relu", [both]) };
    });
    expect((await apply(foldInputAffine, graph)).ops).toEqual(["Mul", "Conv", "Relu"]);
    const shared = graphOf({ x: ["float32", 1, 4, 5, 5] }, (x, b) => {
      const weight = b.weights(2, 4, 3, 3);
      return { y: b.add("Conv", [scaled(x("x"), b), weight]), z: b.add("Conv", [x("x"), weight]) };
    });
    const { ops, misses } = await apply(foldInputAffine, shared);
    expect(ops).toEqual(["Mul", "Conv", "Conv"]);
    expect(misses).toEqual([expect.stringContaining("shared")]);
  });
});
