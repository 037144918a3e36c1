import { describe, it } from "vitest";
import {
  attr,
  expectAlike,
  flags,
  floats,
  ints,
  type Node,
  type Numbers,
} from "../tensorflow-model.test.support.js";

const T = { T: attr.type("DT_FLOAT") };

/** A node that reads what is fed, then what is stored, by their order. */
async function check(
  op: string,
  inputs: Readonly<Record<string, Numbers>>,
  weights: Readonly<Record<string, Numbers>> = {},
  attributes: NonNullable<Node["attr"]> = {},
): Promise<void> {
  const names = [...Object.keys(inputs), ...Object.keys(weights)];
  await expectAlike({
    inputs,
    weights,
    nodes: [{ op, inputs: names, attr: { ...T, ...attributes } }],
  });
}

const x = floats([2, 3, 4]);
const image = floats([1, 4, 6, 3]);

describe("a product of matrices", () => {
  it("takes either turned", async () => {
    const a = floats([3, 4]);
    const turned = (one: boolean, two: boolean) => ({
      transpose_a: attr.flag(one),
      transpose_b: attr.flag(two),
    });
    await check("MatMul", { a }, { b: floats([4, 2]) }, turned(false, false));
    await check("MatMul", { a }, { b: floats([2, 4]) }, turned(false, true));
    await check("MatMul", { a }, { b: floats([3, 2]) }, turned(true, false));
    await check("MatMul", { a }, { b: floats([2, 3]) }, turned(true, true));
  });

  it("is one of many", async () => {
    await check("BatchMatMulV2", { a: x, b: floats([2, 4, 5]) });
    await check("BatchMatMulV2", { a: x, b: floats([2, 5, 4]) }, {}, { adj_y: attr.flag(true) });
    await check(
      "BatchMatMul",
      { a: floats([2, 3, 4]), b: floats([2, 3, 5]) },
      {},
      { adj_x: attr.flag(true) },
    );
  });

  it("adds a bias and is activated where that is one node", async () => {
    const weights = { b: floats([4, 5]), bias: floats([5]) };
    for (const name of ["Relu", "Relu6", "Elu", "Sigmoid"])
      await check("_FusedMatMul", { a: floats([3, 4]) }, weights, {
        fused_ops: attr.texts(["BiasAdd", name]),
        num_args: attr.int(1),
      });
  });

  it("is said as an equation", () =>
    check(
      "Einsum",
      { a: x, b: floats([2, 5, 4]) },
      {},
      { equation: attr.text("bij,bkj->bik"), N: attr.int(2) },
    ));

  it("is turned", async () => {
    await check("Transpose", { x }, { axes: ints([2, 0, 1]) });
    await check("Transpose", { x }, { axes: ints([0, 1, 2]) });
  });
});

describe("a reduction", () => {
  const kept = (isKept: boolean) => ({ keep_dims: attr.flag(isKept) });
  for (const op of ["Sum", "Mean", "Max", "Min", "Prod", "EuclideanNorm"])
    it(op, async () => {
      await check(op, { x }, { axes: ints([1]) }, kept(true));
      await check(op, { x }, { axes: ints([0, -1]) }, kept(false));
      await check(op, { x }, { axes: ints([2], []) }, kept(false));
    });

  it("of integers and of flags", async () => {
    const whole = ints([1, 2, 3, 4, 5, 7], [2, 3]);
    await check("Sum", { x: whole }, { axes: ints([1]) });
    await check("Mean", { x: whole }, { axes: ints([1]) });
    await check("Max", { x: whole }, { axes: ints([0]) });
    const some = flags([1, 0, 0, 1, 1, 1], [2, 3]);
    await check("All", { x: some }, { axes: ints([1]) }, kept(false));
    await check("Any", { x: some }, { axes: ints([0]) }, kept(true));
  });

  it("to a place", async () => {
    await check("ArgMax", { x }, { axis: ints([-1], []) }, { output_type: attr.type("DT_INT64") });
    await check("ArgMin", { x }, { axis: ints([1], []) });
  });

  it("of what came before", async () => {
    for (const [exclusive, reverse] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      await check(
        "Cumsum",
        { x },
        { axis: ints([1], []) },
        { exclusive: attr.flag(exclusive), reverse: attr.flag(reverse) },
      );
  });
});

describe("a normalization", () => {
  it("of a batch, as it is after training", async () => {
    const statistics = {
      scale: floats([3]),
      offset: floats([3]),
      mean: floats([3]),
      variance: floats([3], [0.5, 1, 2]),
    };
    for (const op of ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"])
      await check(op, { image }, statistics, {
        epsilon: attr.float(0.001),
        is_training: attr.flag(false),
        data_format: attr.text("NHWC"),
      });
  });

  it("of what is around", () =>
    check(
      "LRN",
      { image },
      {},
      {
        depth_radius: attr.int(1),
        bias: attr.float(1.5),
        alpha: attr.float(0.3),
        beta: attr.float(0.75),
      },
    ));

  it("of the last axis", async () => {
    await check("Softmax", { x });
    await check("LogSoftmax", { x });
  });

  it("of channels by what is added to each", () =>
    check("BiasAdd", { image }, { bias: floats([3]) }));
});

describe("an image", () => {
  const to = (...sizes: readonly number[]) => ({ sizes: ints(sizes) });
  const counted = (corners: boolean, half: boolean) => ({
    align_corners: attr.flag(corners),
    half_pixel_centers: attr.flag(half),
  });
  for (const op of ["ResizeBilinear", "ResizeNearestNeighbor"])
    for (const [name, corners, half] of [
      ["from the first pixel on", false, false],
      ["corner to corner", true, false],
      ["by half pixels", false, true],
    ] as const)
      it(`has other sizes: ${op} ${name}`, async () => {
        for (const sizes of [
          [8, 12],
          [7, 5],
          [2, 3],
          [4, 6],
        ])
          await check(op, { image }, to(...sizes), counted(corners, half));
      });

  it("is padded", async () => {
    const pads = ints([0, 0, 1, 2, 0, 3, 0, 0], [4, 2]);
    await check("Pad", { image }, { pads });
    await check("PadV2", { image }, { pads, number: floats([], [1.5]) });
    await check("MirrorPad", { image }, { pads }, { mode: attr.text("REFLECT") });
    await check("MirrorPad", { image }, { pads }, { mode: attr.text("SYMMETRIC") });
  });

  it("is taken apart into blocks, and put together", async () => {
    const blocks = ints([2, 3]);
    await check(
      "SpaceToBatchND",
      { x: floats([2, 4, 6, 3]) },
      { blocks, pads: ints([0, 0, 0, 0], [2, 2]) },
    );
    await check(
      "SpaceToBatchND",
      { x: floats([1, 3, 4, 2]) },
      { blocks, pads: ints([0, 1, 1, 1], [2, 2]) },
    );
    await check(
      "BatchToSpaceND",
      { x: floats([12, 2, 3, 2]) },
      { blocks, crops: ints([0, 1, 2, 0], [2, 2]) },
    );
    await check(
      "DepthToSpace",
      { x: floats([1, 2, 3, 8]) },
      {},
      { block_size: attr.int(2), data_format: attr.text("NHWC") },
    );
  });
});
