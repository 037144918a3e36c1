import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { foldAffine } from "./fold-affine.js";
import { pointwiseAfterPool, pointwiseBeforeResize } from "./resampling.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

const linear = { mode: attribute.string("linear") };
const asymmetric = {
  mode: attribute.string("nearest"),
  coordinate_transformation_mode: attribute.string("asymmetric"),
  nearest_mode: attribute.string("floor"),
};

function enlarged(b: Builder, x: ValueId, attributes: Attributes = linear): ValueId {
  return b.add("Resize", [x, null, b.floats([1, 1, 2, 2])], attributes);
}

function toSizes(b: Builder, x: ValueId, sizes: readonly number[], attributes: Attributes = {}) {
  return b.add("Resize", [x, null, null, b.ints(sizes)], { ...linear, ...attributes });
}

function conv(b: Builder, x: ValueId, from: number, to: number, kernel = 1): ValueId {
  return b.add("Conv", [x, b.weights(to, from, kernel, kernel), b.weights(to)]);
}

function of(build: (x: ValueId, b: Builder) => ValueId, channels = 4): Graph {
  return graphOf({ x: ["float32", 1, channels, 3, 4] }, (x, b) => ({ y: build(x("x"), b) }));
}

const perChannel = [2, -1, 0.5, 3];

describe("pointwise-before-resize", () => {
  it.each<[string, string[], (x: ValueId, b: Builder) => ValueId]>([
    ["a convolution", ["Conv", "Resize"], (x, b) => conv(b, enlarged(b, x), 4, 3)],
    [
      "of the nearest place",
      ["Conv", "Resize"],
      (x, b) => conv(b, enlarged(b, x, asymmetric), 4, 3),
    ],
    [
      "between corners",
      ["Conv", "Resize"],
      (x, b) => {
        const corners = attribute.string("align_corners");
        return conv(
          b,
          enlarged(b, x, { ...linear, coordinate_transformation_mode: corners }),
          4,
          3,
        );
      },
    ],
    [
      "by cubics",
      ["Conv", "Resize"],
      (x, b) => conv(b, enlarged(b, x, { mode: attribute.string("cubic") }), 4, 3),
    ],
    ["to sizes", ["Conv", "Resize"], (x, b) => conv(b, toSizes(b, x, [1, 4, 5, 9]), 4, 3)],
    [
      "to sizes of named axes",
      ["Conv", "Resize"],
      (x, b) => conv(b, toSizes(b, x, [5, 9], { axes: attribute.ints([2, -1]) }), 4, 3),
    ],
    [
      "to sizes of all axes by their names",
      ["Conv", "Resize"],
      (x, b) => conv(b, toSizes(b, x, [9, 5, 4, 1], { axes: attribute.ints([3, 2, -3, 0]) }), 4, 3),
    ],
    [
      "one that normalizes",
      ["BatchNormalization", "Resize"],
      (x, b) => {
        const one = b.floats([1, 2, 3, 4]);
        return b.add("BatchNormalization", [enlarged(b, x), one, one, one, one]);
      },
    ],
    [
      "a factor of every channel",
      ["Mul", "Resize"],
      (x, b) => b.add("Mul", [b.floats(perChannel, [4, 1, 1]), enlarged(b, x)]),
    ],
    [
      "a difference to a number",
      ["Sub", "Resize"],
      (x, b) => b.add("Sub", [b.floats([1]), enlarged(b, x)]),
    ],
    [
      "an activation of the nearest place",
      ["Sigmoid", "Resize"],
      (x, b) => b.add("Sigmoid", [enlarged(b, x, asymmetric)]),
    ],
    [
      "slopes of the nearest place",
      ["PRelu", "Resize"],
      (x, b) => b.add("PRelu", [enlarged(b, x, asymmetric), b.floats(perChannel, [4, 1, 1])]),
    ],
    [
      "bounds of the nearest place",
      ["Clip", "Resize"],
      (x, b) => b.add("Clip", [enlarged(b, x, asymmetric), b.floats([0]), b.floats([6])]),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(pointwiseBeforeResize, of(build))).ops).toEqual(expected);
  });

  it("of free sizes, by how they are scaled", async () => {
    const graph = graphOf({ x: ["float32", "N", 4, "H", "W"] }, (x, b) => ({
      y: conv(b, enlarged(b, x("x")), 4, 3),
    }));
    expect((await apply(pointwiseBeforeResize, graph)).ops).toEqual(["Conv", "Resize"]);
  });

  it("lets what follows be folded into the convolution before it", async () => {
    const graph = of((x, b) => {
      const one = b.floats([1, 2, 3, 4]);
      return b.add("BatchNormalization", [enlarged(b, conv(b, x, 4, 4, 3)), one, one, one, one]);
    });
    const { ops } = await apply([foldAffine, pointwiseBeforeResize], graph);
    expect(ops).toEqual(["Conv", "Resize"]);
  });

  it.each<[string, string[], (x: ValueId, b: Builder) => ValueId]>([
    ["windows of more places", ["Resize", "Conv"], (x, b) => conv(b, enlarged(b, x), 4, 3, 3)],
    [
      "zeros around",
      ["Resize", "Conv"],
      (x, b) => {
        const pads = attribute.ints([1, 1, 1, 1]);
        return b.add("Conv", [enlarged(b, x), b.weights(3, 4, 1, 1)], { pads });
      },
    ],
    [
      "steps",
      ["Resize", "Conv"],
      (x, b) => {
        const strides = attribute.ints([2, 2]);
        return b.add("Conv", [enlarged(b, x), b.weights(3, 4, 1, 1)], { strides });
      },
    ],
    [
      "an image that gets smaller",
      ["Resize", "Conv"],
      (x, b) => conv(b, b.add("Resize", [x, null, b.floats([1, 1, 0.5, 1])], linear), 4, 3),
    ],
    [
      "channels that are resized too",
      ["Resize", "Conv"],
      (x, b) => conv(b, b.add("Resize", [x, null, b.floats([1, 2, 2, 2])], linear), 8, 3),
    ],
    [
      "many more channels than before, which are resized",
      ["Resize", "Conv"],
      (x, b) => conv(b, enlarged(b, x), 4, 32),
    ],
    ["an activation between places", ["Resize", "Relu"], (x, b) => b.add("Relu", [enlarged(b, x)])],
    ["one over", ["Resize", "Div"], (x, b) => b.add("Div", [b.floats([1]), enlarged(b, x)])],
    [
      "what rounds",
      ["Resize", "Add"],
      (x, b) => b.add("Add", [enlarged(b, x), b.floats([1.5 * 2 ** 23])]),
    ],
    [
      "numbers of places",
      ["Resize", "Mul"],
      (x, b) => b.add("Mul", [enlarged(b, x, asymmetric), b.weights(1, 1, 6, 8)]),
    ],
    [
      "what makes more samples",
      ["Resize", "Mul"],
      (x, b) => b.add("Mul", [enlarged(b, x, asymmetric), b.floats([1, 2], [2, 1, 1, 1])]),
    ],
    [
      "another dtype",
      ["Resize", "Cast"],
      (x, b) => b.add("Cast", [enlarged(b, x, asymmetric)], { to: attribute.int(6) }),
    ],
    [
      "a resize that others read",
      ["Resize", "Conv", "Add"],
      (x, b) => {
        const y = enlarged(b, x);
        return b.add("Add", [y, conv(b, y, 4, 4)]);
      },
    ],
    [
      "crops",
      ["Resize", "Mul"],
      (x, b) => {
        const crop = attribute.string("tf_crop_and_resize");
        const region = b.floats([0, 0, 0, 0, 1, 1, 1, 1.5]);
        const y = b.add("Resize", [x, region, b.floats([1, 1, 2, 2])], {
          ...linear,
          coordinate_transformation_mode: crop,
        });
        return b.add("Mul", [y, b.floats([2])]);
      },
    ],
  ])("leaves %s", async (_, expected, build) => {
    expect((await apply(pointwiseBeforeResize, of(build))).ops).toEqual(expected);
  });
});

const halved = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) };
const padded = { ...halved, pads: attribute.ints([1, 1, 0, 0]) };

describe("pointwise-after-pool", () => {
  it.each<[string, string[], (x: ValueId, b: Builder) => ValueId]>([
    [
      "a mean of some places",
      ["AveragePool", "Conv"],
      (x, b) => b.add("AveragePool", [conv(b, x, 4, 3)], halved),
    ],
    [
      "a mean of all",
      ["GlobalAveragePool", "Conv"],
      (x, b) => b.add("GlobalAveragePool", [conv(b, x, 4, 3)]),
    ],
    [
      "a mean of those that are there",
      ["AveragePool", "Conv"],
      (x, b) => b.add("AveragePool", [conv(b, x, 4, 3)], padded),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(pointwiseAfterPool, of(build))).ops).toEqual(expected);
  });

  it.each<[string, string[], (x: ValueId, b: Builder) => ValueId]>([
    [
      "means in which zeros around count",
      ["Conv", "AveragePool"],
      (x, b) =>
        b.add("AveragePool", [conv(b, x, 4, 3)], {
          ...padded,
          count_include_pad: attribute.int(1),
        }),
    ],
    [
      "as many places as before",
      ["Conv", "AveragePool"],
      (x, b) => b.add("AveragePool", [conv(b, x, 4, 3)], { kernel_shape: attribute.ints([2, 2]) }),
    ],
    [
      "windows that reach beyond",
      ["Conv", "AveragePool"],
      (x, b) =>
        b.add("AveragePool", [conv(b, x, 4, 3)], { ...halved, ceil_mode: attribute.int(1) }),
    ],
    [
      "windows of more places",
      ["Conv", "GlobalAveragePool"],
      (x, b) => b.add("GlobalAveragePool", [conv(b, x, 4, 3, 3)]),
    ],
    [
      "an activation in between",
      ["Conv", "Relu", "GlobalAveragePool"],
      (x, b) => b.add("GlobalAveragePool", [b.add("Relu", [conv(b, x, 4, 3)])]),
    ],
  ])("leaves %s", async (_, expected, build) => {
    expect((await apply(pointwiseAfterPool, of(build))).ops).toEqual(expected);
  });
});
