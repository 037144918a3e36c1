import { describe, expect, it } from "vitest";
import { attribute, type Attributes } from "../../ir/index.js";
import {
  type Case,
  checked,
  checkGradients,
  tolerance,
} from "../../train/gradient-check.test.support.js";
import { one } from "./case.test.support.js";

const { int, ints, string } = attribute;
type Shapes = readonly [x: readonly number[], weight: readonly number[], bias: number];

const convolutions: readonly (readonly [name: string, ...Shapes, Attributes])[] = [
  ["3×3", [2, 5, 6, 6], [4, 5, 3, 3], 4, { pads: ints([1, 1, 1, 1]) }],
  ["3×3 of few channels", [2, 3, 6, 7], [4, 3, 3, 3], 4, { pads: ints([1, 1, 1, 1]) }],
  [
    "3×3 stride 2, odd",
    [2, 5, 7, 7],
    [4, 5, 3, 3],
    4,
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
  ],
  [
    "3×3 stride 2, even",
    [2, 5, 8, 8],
    [4, 5, 3, 3],
    4,
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
  ],
  [
    "5×5 stride 2, asymmetric pads",
    [2, 3, 8, 9],
    [4, 3, 5, 5],
    4,
    { pads: ints([1, 2, 2, 1]), strides: ints([2, 2]) },
  ],
  ["3×3 in long rows", [2, 5, 3, 24], [4, 5, 3, 3], 4, { pads: ints([1, 1, 1, 1]) }],
  [
    "3×2 in long rows, dilated, in groups, stride 2 from row to row",
    [1, 6, 6, 27],
    [4, 3, 3, 2],
    4,
    {
      pads: ints([1, 0, 1, 2]),
      dilations: ints([1, 2]),
      strides: ints([2, 1]),
      group: int(2),
    },
  ],
  [
    "2×1×3 in long rows of planes",
    [1, 5, 2, 2, 24],
    [3, 5, 2, 1, 3],
    3,
    { pads: ints([0, 0, 1, 0, 0, 1]) },
  ],
  ["asymmetric pads, stride 1", [2, 5, 6, 6], [4, 5, 3, 3], 4, { pads: ints([0, 2, 1, 0]) }],
  [
    "SAME_UPPER stride 2",
    [1, 5, 7, 8],
    [4, 5, 3, 3],
    4,
    { auto_pad: string("SAME_UPPER"), strides: ints([2, 2]) },
  ],
  ["SAME_LOWER", [1, 5, 5, 6], [4, 5, 2, 2], 4, { auto_pad: string("SAME_LOWER") }],
  [
    "3×3 dilation 2",
    [2, 5, 9, 9],
    [4, 5, 3, 3],
    4,
    { pads: ints([2, 2, 2, 2]), dilations: ints([2, 2]) },
  ],
  [
    "3×3 dilation 2 stride 2",
    [2, 5, 10, 10],
    [4, 5, 3, 3],
    4,
    { pads: ints([2, 2, 2, 2]), dilations: ints([2, 2]), strides: ints([2, 2]) },
  ],
  [
    "3×3 dilated beyond most of its windows",
    [1, 5, 8, 9],
    [4, 5, 3, 3],
    4,
    { pads: ints([1, 0, 1, 0]), dilations: ints([3, 3]) },
  ],
  [
    "5×3 stride 3 and 2, padded at the end",
    [2, 5, 16, 17],
    [3, 5, 5, 3],
    3,
    { strides: ints([3, 2]), pads: ints([0, 0, 3, 2]) },
  ],
  [
    "of an input that no window reaches the end of",
    [1, 5, 11, 12],
    [3, 5, 2, 2],
    3,
    { strides: ints([4, 3]) },
  ],
  ["1×1", [2, 6, 5, 5], [4, 6, 1, 1], 4, {}],
  ["1×1 stride 2", [2, 6, 6, 6], [4, 6, 1, 1], 4, { strides: ints([2, 2]) }],
  ["1×1 of one sample", [1, 6, 4, 4], [4, 6, 1, 1], 4, {}],
  [
    "7×7 stride 4",
    [1, 3, 14, 14],
    [2, 3, 7, 7],
    2,
    { strides: ints([4, 4]), pads: ints([3, 3, 3, 3]) },
  ],
  ["pads beyond the kernel", [1, 5, 4, 4], [3, 5, 2, 2], 3, { pads: ints([2, 2, 2, 2]) }],
  ["groups 3×3", [2, 4, 6, 6], [6, 2, 3, 3], 6, { pads: ints([1, 1, 1, 1]), group: int(2) }],
  [
    "groups 3×3 stride 2",
    [2, 4, 8, 8],
    [6, 2, 3, 3],
    6,
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(2) },
  ],
  ["groups 1×1", [2, 4, 4, 4], [6, 2, 1, 1], 6, { group: int(2) }],
  ["depthwise 3×3", [2, 4, 7, 7], [4, 1, 3, 3], 4, { pads: ints([1, 1, 1, 1]), group: int(4) }],
  [
    "depthwise 3×3 stride 2",
    [2, 4, 8, 8],
    [4, 1, 3, 3],
    4,
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(4) },
  ],
  [
    "depthwise 3×5 dilated",
    [1, 3, 8, 9],
    [3, 1, 3, 5],
    3,
    { pads: ints([1, 2, 1, 2]), dilations: ints([1, 2]), group: int(3) },
  ],
  ["depthwise, long rows", [1, 2, 2, 70], [2, 1, 1, 3], 2, { group: int(2) }],
  [
    "depthwise, two outputs each",
    [2, 3, 7, 7],
    [6, 1, 5, 5],
    6,
    { pads: ints([2, 2, 2, 2]), group: int(3) },
  ],
  [
    "depthwise, two outputs each, stride 2",
    [1, 3, 7, 7],
    [6, 1, 3, 3],
    6,
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(3) },
  ],
  ["of one axis", [2, 5, 9], [4, 5, 3], 4, { pads: ints([1, 1]), strides: ints([2]) }],
  ["of one axis, depthwise", [2, 4, 9], [4, 1, 3], 4, { pads: ints([2, 0]), group: int(4) }],
  ["of three axes", [1, 5, 4, 4, 3], [2, 5, 2, 2, 2], 2, { strides: ints([1, 2, 1]) }],
];

const transposed: readonly (readonly [name: string, ...Shapes, Attributes])[] = [
  [
    "stride 2 with output_padding",
    [2, 3, 5, 5],
    [3, 4, 3, 3],
    4,
    { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), output_padding: ints([1, 1]) },
  ],
  [
    "output_padding beyond the kernel",
    [1, 3, 4, 4],
    [3, 2, 2, 2],
    2,
    { strides: ints([3, 3]), output_padding: ints([1, 2]) },
  ],
  [
    "4×4 stride 2",
    [2, 3, 5, 5],
    [3, 4, 4, 4],
    4,
    { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  ["stride 1", [2, 3, 5, 5], [3, 4, 3, 3], 4, { pads: ints([1, 0, 0, 1]) }],
  [
    "output_shape",
    [1, 3, 4, 4],
    [3, 2, 3, 3],
    2,
    { strides: ints([2, 2]), output_shape: ints([8, 8]) },
  ],
  ["dilated", [1, 3, 4, 4], [3, 2, 3, 3], 2, { strides: ints([2, 1]), dilations: ints([1, 2]) }],
  ["groups", [1, 4, 4, 4], [4, 3, 3, 3], 6, { strides: ints([2, 2]), group: int(2) }],
  ["of one axis", [2, 3, 5], [3, 4, 4], 4, { strides: ints([2]), pads: ints([1, 1]) }],
];

const cases = (op: string, list: typeof convolutions): readonly Case[] =>
  list.map(([name, x, weight, bias, attributes]) => ({
    name: `${op} ${name}`,
    shapes: [x, weight, [bias]],
    build: one(op, attributes),
  }));

checkGradients("gradients of convolutions", [
  ...cases("Conv", convolutions),
  ...cases("ConvTranspose", transposed),
  {
    name: "Conv without a bias",
    shapes: [
      [1, 5, 4, 4],
      [2, 5, 2, 2],
    ],
    build: one("Conv"),
  },
]);

describe("what is written for WebGPU", () => {
  it("gives the same gradients", async () => {
    const all = cases("Conv", convolutions);
    const results = await checked(all, "cpu", "webgpu");
    const wrong = all.filter((_, at) => !((results[at]?.error ?? 1) < tolerance));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
