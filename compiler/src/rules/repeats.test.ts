import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { convolveRepeats } from "./repeats.js";
import { apply, type Builder, graphOf, opsOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";

const asymmetric = {
  mode: attribute.string("nearest"),
  coordinate_transformation_mode: attribute.string("asymmetric"),
  nearest_mode: attribute.string("floor"),
};
const around = (...pads: number[]) => ({ pads: attribute.ints(pads) });

function repeated(
  b: Builder,
  x: ValueId,
  [rows, columns]: readonly [number, number] = [2, 2],
  attributes: Attributes = asymmetric,
): ValueId {
  return b.add("Resize", [x, null, b.floats([1, 1, rows, columns])], attributes);
}

function conv(b: Builder, x: ValueId, kernel: readonly number[], attributes: Attributes): ValueId {
  return b.add("Conv", [x, b.weights(2, 3, ...kernel), b.weights(2)], attributes);
}

function transposed(b: Builder, x: ValueId, attributes: Attributes = {}): ValueId {
  return b.add("ConvTranspose", [x, b.weights(3, 2, 5, 4), b.weights(2)], attributes);
}

function of(build: (x: ValueId, b: Builder) => ValueId): Graph {
  return graphOf({ x: ["float32", 2, 3, 9, 11] }, (x, b) => ({ y: build(x("x"), b) }));
}

describe("convolve-repeats", () => {
  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    ["3 × 3", (x, b) => conv(b, repeated(b, x), [3, 3], around(1, 1, 1, 1))],
    ["without pads", (x, b) => conv(b, repeated(b, x), [3, 3], {})],
    ["of other pads", (x, b) => conv(b, repeated(b, x), [3, 5], around(0, 3, 2, 1))],
    [
      "with pads that it finds itself",
      (x, b) => conv(b, repeated(b, x), [4, 4], { auto_pad: attribute.string("SAME_UPPER") }),
    ],
    [
      "three times as high, twice as wide",
      (x, b) => conv(b, repeated(b, x, [3, 2]), [3, 3], around(1, 1, 1, 1)),
    ],
    ["only as wide", (x, b) => conv(b, repeated(b, x, [1, 2]), [3, 3], around(1, 1, 1, 1))],
    [
      "by the nearest centre",
      (x, b) => {
        const nearest = { mode: attribute.string("nearest") };
        return conv(b, repeated(b, x, [2, 2], nearest), [3, 3], around(1, 1, 1, 1));
      },
    ],
    [
      "to sizes",
      (x, b) => {
        const large = b.add("Resize", [x, null, null, b.ints([2, 3, 18, 22])], asymmetric);
        return conv(b, large, [3, 3], around(1, 1, 1, 1));
      },
    ],
    ["transposed", (x, b) => transposed(b, repeated(b, x))],
    ["transposed, cut", (x, b) => transposed(b, repeated(b, x), around(1, 0, 2, 3))],
  ])("%s", async (_, build) => {
    expect((await apply(convolveRepeats, of(build))).ops).toEqual(["ConvTranspose"]);
  });

  it("along one axis", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 40] }, (x, b) => {
      const large = b.add("Resize", [x("x"), null, b.floats([1, 1, 4])], asymmetric);
      return { y: conv(b, large, [7], around(3, 3)) };
    });
    expect((await apply(convolveRepeats, graph)).ops).toEqual(["ConvTranspose"]);
  });

  it("of free sizes", async () => {
    const graph = graphOf({ x: ["float32", "N", 3, "H", "W"] }, (x, b) => ({
      y: conv(b, repeated(b, x("x")), [3, 3], around(1, 1, 1, 1)),
    }));
    expect((await apply(convolveRepeats, graph)).ops).toEqual(["ConvTranspose"]);
  });

  it.each([
    ["more repeats than there can be", 2 ** 30, 4],
    ["as large a map as a file may say", 2, 2 ** 40],
  ])("does not count %s", async (_, times, size) => {
    const graph = graphOf({ x: ["float32", 1, 3, size, size] }, (x, b) => ({
      y: conv(b, repeated(b, x("x"), [times, times]), [3, 3], around(1, 1, 1, 1)),
    }));
    await runRules(graph, [convolveRepeats], {});
    expect(opsOf(graph)).toEqual(["Resize", "Conv"]);
  });

  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    ["one place", (x, b) => conv(b, repeated(b, x), [1, 1], {})],
    ["steps", (x, b) => conv(b, repeated(b, x), [3, 3], { strides: attribute.ints([2, 2]) })],
    [
      "windows that are spread",
      (x, b) => conv(b, repeated(b, x), [3, 3], { dilations: attribute.ints([2, 2]) }),
    ],
    [
      "more zeros around than the window reaches",
      (x, b) => conv(b, repeated(b, x), [3, 3], around(3, 3, 3, 3)),
    ],
    [
      "groups",
      (x, b) => b.add("Conv", [repeated(b, x), b.weights(3, 1, 3, 3)], { group: attribute.int(3) }),
    ],
    [
      "places between",
      (x, b) => conv(b, repeated(b, x, [2, 2], { mode: attribute.string("linear") }), [3, 3], {}),
    ],
    [
      "places that are repeated otherwise",
      (x, b) => {
        const ceil = { ...asymmetric, nearest_mode: attribute.string("ceil") };
        return conv(b, repeated(b, x, [2, 2], ceil), [3, 3], {});
      },
    ],
    ["parts of places", (x, b) => conv(b, repeated(b, x, [1.5, 2]), [3, 3], {})],
    [
      "transposed to a shape",
      (x, b) => transposed(b, repeated(b, x), { output_shape: attribute.ints([20, 22]) }),
    ],
    [
      "weights that few places use",
      (x, b) => conv(b, repeated(b, b.add("GlobalAveragePool", [x])), [3, 3], around(1, 1, 1, 1)),
    ],
  ])("leaves %s", async (_, build) => {
    expect((await apply(convolveRepeats, of(build))).ops).toContain("Resize");
  });
});
