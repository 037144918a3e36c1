import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../../ir/index.js";
import {
  type Builder,
  compare,
  type Declared,
  graphOf,
  madeUp,
  opsOf,
} from "../../rules/rule-case.test.support.js";
import { evaluateGraph } from "../../ops/index.js";
import { normalizeGraph } from "../normalize.js";
import { old, reopened, sameAfter } from "./opset-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const { int, ints, float, floats, string } = attribute;

const matrix: Declared = ["float32", 3, 4];
const image: Declared = ["float32", 1, 2, 4, 6];

describe("raised to opset 21, the engine gives what it gave", () => {
  it.each<[string, number, Declared, string[], Build]>([
    [
      "Softmax over all axes from 1",
      11,
      ["float32", 2, 3, 4],
      ["Flatten", "Softmax", "Shape", "Reshape"],
      (x, b) => b.add("Softmax", [x]),
    ],
    [
      "Softmax of nothing",
      11,
      ["float32", 2, 3, 0],
      ["Flatten", "Softmax", "Shape", "Reshape"],
      (x, b) => b.add("Softmax", [x]),
    ],
    [
      "Softmax over the last axis",
      11,
      ["float32", 2, 3, 4],
      ["Softmax"],
      (x, b) => b.add("Softmax", [x], { axis: int(2) }),
    ],
    [
      "Softmax, all after its axis 1",
      9,
      ["float32", 2, 3, 1, 1],
      ["Softmax"],
      (x, b) => b.add("Softmax", [x]),
    ],
    [
      "LogSoftmax over all axes",
      8,
      matrix,
      ["Flatten", "LogSoftmax", "Shape", "Reshape"],
      (x, b) => b.add("LogSoftmax", [x], { axis: int(0) }),
    ],
    [
      "Slice by attributes",
      9,
      matrix,
      ["Slice"],
      (x, b) =>
        b.add("Slice", [x], { starts: ints([0, 1]), ends: ints([2, -1]), axes: ints([0, 1]) }),
    ],
    [
      "Squeeze and Unsqueeze by attributes",
      11,
      ["float32", 1, 3],
      ["Squeeze", "Unsqueeze"],
      (x, b) =>
        b.add("Unsqueeze", [b.add("Squeeze", [x], { axes: ints([0]) })], { axes: ints([1]) }),
    ],
    [
      "ReduceSum by attribute",
      11,
      matrix,
      ["ReduceSum"],
      (x, b) => b.add("ReduceSum", [x], { axes: ints([1]), keepdims: int(0) }),
    ],
    [
      "ReduceMean by attribute",
      13,
      matrix,
      ["ReduceMean"],
      (x, b) => b.add("ReduceMean", [x], { axes: ints([-1]) }),
    ],
    ["ReduceMax of everything", 12, matrix, ["ReduceMax"], (x, b) => b.add("ReduceMax", [x])],
    [
      "Clip by attributes",
      6,
      matrix,
      ["Clip"],
      (x, b) => b.add("Clip", [x], { min: float(-1), max: float(0.5) }),
    ],
    [
      "Clip from below",
      9,
      matrix,
      ["Clip"],
      (x, b) => b.add("Clip", [x], { min: float(0), max: float(3.4028234663852886e38) }),
    ],
    [
      "Pad by attributes",
      9,
      matrix,
      ["Pad"],
      (x, b) => b.add("Pad", [x], { pads: ints([1, 0, 0, 2]), value: float(1.5) }),
    ],
    [
      "Pad by reflection",
      9,
      matrix,
      ["Pad"],
      (x, b) => b.add("Pad", [x], { pads: ints([1, 0, 0, 2]), mode: string("reflect") }),
    ],
    [
      "Affine",
      8,
      image,
      ["Mul", "Add"],
      (x, b) => b.add("Affine", [x], { alpha: float(1.5), beta: float(-0.25) }),
    ],
    ["Affine of nothing", 7, image, ["Mul", "Add"], (x, b) => b.add("Affine", [x])],
    ["Scale", 9, image, ["Mul"], (x, b) => b.add("Scale", [x], { scale: float(1.5) })],
    [
      "ImageScaler",
      9,
      image,
      ["Mul", "Add"],
      (x, b) => b.add("ImageScaler", [x], { scale: float(1.5), bias: floats([0.5, -1]) }),
    ],
    [
      "ScaledTanh",
      7,
      image,
      ["Mul", "Tanh", "Mul"],
      (x, b) => b.add("ScaledTanh", [x], { alpha: float(1.5), beta: float(0.5) }),
    ],
    [
      "ParametricSoftplus",
      9,
      image,
      ["Mul", "Softplus", "Mul"],
      (x, b) => b.add("ParametricSoftplus", [x], { alpha: float(1.5), beta: float(0.5) }),
    ],
    [
      "Crop by borders",
      9,
      image,
      ["Slice"],
      (x, b) => b.add("Crop", [x], { border: ints([2, 1, 0, 1]) }),
    ],
    [
      "Crop of a size",
      7,
      image,
      ["Slice"],
      (x, b) => b.add("Crop", [x], { border: ints([2, 1, 1, 1]), scale: ints([2, 3]) }),
    ],
    [
      "DynamicSlice",
      9,
      image,
      ["Slice"],
      (x, b) => b.add("DynamicSlice", [x, b.ints([1, 0]), b.ints([3, -1]), b.ints([2, 3])]),
    ],
    [
      "MeanVarianceNormalization by channel",
      8,
      image,
      ["ReduceMean", "Sub", "Mul", "ReduceMean", "Sqrt", "Add", "Div"],
      (x, b) => b.add("MeanVarianceNormalization", [x]),
    ],
    [
      "MeanVarianceNormalization of all",
      7,
      image,
      ["ReduceMean", "Sub", "Mul", "ReduceMean", "Sqrt", "Add", "Div"],
      (x, b) => b.add("MeanVarianceNormalization", [x], { across_channels: int(1) }),
    ],
    [
      "MeanVarianceNormalization of the mean",
      7,
      image,
      ["ReduceMean", "Sub"],
      (x, b) => b.add("MeanVarianceNormalization", [x], { normalize_variance: int(0) }),
    ],
    [
      "MeanVarianceNormalization over axes",
      13,
      image,
      ["ReduceMean", "Sub", "Mul", "ReduceMean", "Sqrt", "Add", "Div"],
      (x, b) => b.add("MeanVarianceNormalization", [x], { axes: ints([2]) }),
    ],
    ["Dropout", 9, matrix, ["Dropout"], (x, b) => b.add("Dropout", [x], { ratio: float(0.3) })],
    [
      "the mask of Dropout in floats",
      9,
      matrix,
      ["Shape", "ConstantOfShape"],
      (x, b) => b.many("Dropout", 2, [x])[1] ?? x,
    ],
    [
      "the mask of Dropout in yes and no",
      10,
      matrix,
      ["Shape", "ConstantOfShape"],
      (x, b) => b.many("Dropout", 2, [x])[1] ?? x,
    ],
    [
      "BatchNormalization",
      8,
      image,
      ["BatchNormalization"],
      (x, b) =>
        b.add(
          "BatchNormalization",
          [x, b.weights(2), b.weights(2), b.weights(2), b.floats([1, 2], [2])],
          { spatial: int(1), momentum: float(0.8) },
        ),
    ],
    [
      "TopK by attribute",
      9,
      matrix,
      ["TopK"],
      (x, b) => b.many("TopK", 2, [x], { k: int(2) })[0] ?? x,
    ],
    [
      "Split by attribute",
      11,
      matrix,
      ["Split", "Concat"],
      (x, b) =>
        b.add("Concat", [...b.many("Split", 2, [x], { axis: int(1), split: ints([1, 3]) })], {
          axis: int(1),
        }),
    ],
    [
      "Split into equal parts",
      13,
      matrix,
      ["Split", "Concat"],
      (x, b) =>
        b.add("Concat", [...b.many("Split", 2, [x], { axis: int(1) })].reverse(), { axis: int(1) }),
    ],
    [
      "Scatter",
      9,
      matrix,
      ["ScatterElements"],
      (x, b) => b.add("Scatter", [x, b.ints([1, 2, 0, 0], [1, 4]), b.weights(1, 4)]),
    ],
    ["Gemm", 7, matrix, ["Gemm"], (x, b) => b.add("Gemm", [x, b.weights(4, 2), b.weights(2)])],
    ["Pow of another type", 7, matrix, ["Pow"], (x, b) => b.add("Pow", [x, b.floats([2])])],
    [
      "GridSample by its old names",
      16,
      image,
      ["GridSample"],
      (x, b) => b.add("GridSample", [x, b.weights(1, 3, 3, 2)], { mode: string("bilinear") }),
    ],
  ])("%s (opset %i)", async (_, opset, input, expected, build) => {
    const raised = await sameAfter(old(opset, input, build), normalizeGraph);
    expect(raised.opset()).toBe(21);
    expect(opsOf(raised)).toEqual(expected);
  });
});

/** Older than any engine runs: compared with the same thing said in opset 21. */
describe("raised to opset 21, it means what it meant", () => {
  it.each<[string, number, Declared, Build, Build]>([
    [
      "Add along an axis",
      6,
      ["float32", 2, 3, 4],
      (x, b) => b.add("Add", [x, b.weights(3)], { broadcast: int(1), axis: int(1) }),
      (x, b) => b.add("Add", [x, b.add("Unsqueeze", [b.weights(3), b.ints([1])])]),
    ],
    [
      "Mul along the last axes",
      6,
      ["float32", 2, 3, 4],
      (x, b) => b.add("Mul", [x, b.weights(4)], { broadcast: int(1) }),
      (x, b) => b.add("Mul", [x, b.weights(4)]),
    ],
    [
      "Reshape by attribute",
      4,
      matrix,
      (x, b) => b.add("Reshape", [x], { shape: ints([2, 6]) }),
      (x, b) => b.add("Reshape", [x, b.ints([2, 6])]),
    ],
    [
      "Cast by name",
      5,
      matrix,
      (x, b) =>
        b.add("Cast", [b.add("Cast", [x], { to: string("INT32") })], { to: string("FLOAT") }),
      (x, b) => b.add("Cast", [b.add("Cast", [x], { to: int(6) })], { to: int(1) }),
    ],
    [
      "Concat without an axis",
      3,
      matrix,
      (x, b) => b.add("Concat", [x, x]),
      (x, b) => b.add("Concat", [x, x], { axis: int(1) }),
    ],
    [
      "Tile along an axis",
      5,
      matrix,
      (x, b) => b.add("Tile", [x, b.ints([3]), b.ints([1])]),
      (x, b) => b.add("Tile", [x, b.ints([1, 3])]),
    ],
    [
      "PRelu per channel",
      6,
      image,
      (x, b) => b.add("PRelu", [x, b.weights(2)]),
      (x, b) => b.add("PRelu", [x, b.add("Unsqueeze", [b.weights(2), b.ints([1, 2])])]),
    ],
    [
      "Selu's rounded defaults",
      5,
      matrix,
      (x, b) => b.add("Selu", [x]),
      (x, b) => b.add("Selu", [x], { alpha: float(1.6732), gamma: float(1.0507) }),
    ],
    [
      "Upsample by two numbers",
      6,
      image,
      (x, b) =>
        b.add("Upsample", [x], {
          height_scale: float(2),
          width_scale: float(3),
          mode: string("nearest"),
        }),
      (x, b) =>
        b.add("Resize", [x, null, b.floats([1, 1, 2, 3])], {
          coordinate_transformation_mode: string("asymmetric"),
          nearest_mode: string("floor"),
        }),
    ],
    [
      "Pad's first name",
      1,
      matrix,
      (x, b) => b.add("Pad", [x], { paddings: ints([1, 0, 0, 0]) }),
      (x, b) => b.add("Pad", [x, b.ints([1, 0, 0, 0])]),
    ],
    [
      "BatchNormalization per element",
      7,
      ["float32", 1, 2, 3],
      (x, b) =>
        b.add(
          "BatchNormalization",
          [x, b.weights(2, 3), b.weights(2, 3), b.weights(2, 3), b.add("Abs", [b.weights(2, 3)])],
          { spatial: int(0) },
        ),
      (x, b) => {
        const spread = b.add("Sqrt", [
          b.add("Add", [b.add("Abs", [b.weights(2, 3)]), b.floats([1e-5])]),
        ]);
        return b.add("Add", [
          b.add("Mul", [
            b.add("Div", [b.add("Sub", [x, b.weights(2, 3)]), spread]),
            b.weights(2, 3),
          ]),
          b.weights(2, 3),
        ]);
      },
    ],
    [
      "GroupNormalization per group",
      18,
      ["float32", 1, 4, 3],
      (x, b) =>
        b.add("GroupNormalization", [x, b.weights(2), b.weights(2)], { num_groups: int(2) }),
      (x, b) => {
        const perChannel = () =>
          b.add("Reshape", [
            b.add("Expand", [b.add("Unsqueeze", [b.weights(2), b.ints([1])]), b.ints([2, 2])]),
            b.ints([4]),
          ]);
        return b.add("GroupNormalization", [x, perChannel(), perChannel()], { num_groups: int(2) });
      },
    ],
  ])("%s (opset %i)", async (_, opset, input, build, like) => {
    const raised = await reopened(old(opset, input, build));
    normalizeGraph(raised);
    const expected = graphOf({ x: input }, (x, b) => ({ y: like(x("x"), b) }));
    const feeds = madeUp(expected, {});
    const [want, got] = [await evaluateGraph(expected, feeds), await evaluateGraph(raised, feeds)];
    for (const [name, tensor] of Object.entries(want)) compare(name, tensor, got[name], 1e-6);
  });
});

describe("what cannot be raised", () => {
  it("names the node and its operator", async () => {
    const graph = await reopened(old(8, matrix, (x, b) => b.add("Scan", [null, x])));
    expect(() => normalizeGraph(graph)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        message: expect.stringContaining("Scan of opset 8"),
      }),
    );
  });

  it("leaves operators that it does not know, and says so", async () => {
    const graph = await reopened(old(9, matrix, (x, b) => b.add("Frobnicate", [x])));
    normalizeGraph(graph);
    expect(opsOf(graph)).toEqual(["Frobnicate"]);
    expect(graph.journal.map((entry) => entry.reason)).toContainEqual(
      expect.stringContaining("Frobnicate is not known"),
    );
  });
});
