import { expect, it } from "vitest";
import { attribute, type Attributes, Tensor } from "../../ir/index.js";
import {
  type Case,
  checkGradients,
  checkOutputs,
  withGradients,
} from "../../train/gradient-check.test.support.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { one, only } from "./case.test.support.js";

const { int, ints: list, float, string } = attribute;

/** An operator on one value and integers that are constant. */
function withIntegers(
  op: string,
  integers: readonly (readonly number[])[],
  attributes: Attributes = {},
): Case["build"] {
  return ([x], { add, ints }) =>
    add(op, [only(x), ...integers.map((values) => ints(values))], attributes);
}

const end = 2 ** 31;

const slices: readonly (readonly [name: string, ...(readonly (readonly number[])[])])[] = [
  ["of a range", [1, -4], [4, -1], [0, 1], [1, 1]],
  ["with steps", [1, 0], [7, 6], [0, 1], [2, 3]],
  ["backwards", [-1], [-end], [0], [-1]],
  ["backwards with steps", [-2], [-end], [1], [-2]],
  ["of nothing away", [0], [end], [0], [1]],
];
const pads: readonly (readonly [mode: string, ...(readonly (readonly number[])[])])[] = [
  ["constant", [1, 0, 2, 1]],
  ["reflect", [2, 1, 1, 2]],
  ["edge", [2, 0, 1, 3]],
  ["wrap", [1, 2, 0, 1]],
  ["reflect", [3, 2, 3, 2]],
  ["edge", [0, 2, 0, 0]],
  ["wrap", [4, 0, 4, 3]],
];
const resizes: readonly (readonly [
  name: string,
  sizes: readonly number[],
  attributes: Attributes,
])[] = [
  [
    "nearest, twice",
    [1, 2, 8, 6],
    { coordinate_transformation_mode: string("asymmetric"), nearest_mode: string("floor") },
  ],
  ["nearest, to other sizes", [1, 2, 7, 5], {}],
  ["nearest, smaller", [1, 2, 2, 2], { coordinate_transformation_mode: string("align_corners") }],
  ["linear", [1, 2, 7, 9], { mode: string("linear") }],
  [
    "linear, aligned corners",
    [1, 2, 8, 5],
    { mode: string("linear"), coordinate_transformation_mode: string("align_corners") },
  ],
  [
    "linear, asymmetric",
    [1, 2, 8, 6],
    { mode: string("linear"), coordinate_transformation_mode: string("asymmetric") },
  ],
  [
    "linear, as PyTorch",
    [1, 2, 1, 6],
    { mode: string("linear"), coordinate_transformation_mode: string("pytorch_half_pixel") },
  ],
  ["cubic", [1, 2, 7, 5], { mode: string("cubic") }],
  ["linear, smaller, antialiased", [1, 2, 2, 3], { mode: string("linear"), antialias: int(1) }],
];

/** Between the places of an image of 4 × 3 and beyond it, and away from where slopes jump: places, halves between them, its ends. */
const points = [
  -1.85, 1.15, 1.88, -0.1, -0.76, -1.59, 0.81, 1.43, -0.78, 0.91, 1.42, -1.55, 0.83, -0.57, 0.42,
  -1.17, -0.15, 0.07, 0.23, 0.41,
];

const cases: readonly Case[] = [
  { name: "Transpose", shapes: [[2, 3, 4]], build: one("Transpose", { perm: list([2, 0, 1]) }) },
  { name: "Transpose without perm", shapes: [[2, 3, 4]], build: one("Transpose") },
  {
    name: "Transpose of an axis of one",
    shapes: [[2, 1, 4]],
    build: one("Transpose", { perm: list([1, 0, 2]) }),
  },
  {
    name: "Reshape, Flatten",
    shapes: [[2, 3, 4]],
    build: ([x], { add, ints }) =>
      add("Flatten", [add("Reshape", [only(x), ints([0, -1, 2])])], { axis: int(2) }),
  },
  {
    name: "Squeeze, Unsqueeze, Expand",
    shapes: [[2, 1, 3]],
    build: ([x], { add, ints }) =>
      add("Expand", [
        add("Unsqueeze", [add("Squeeze", [only(x), ints([1])]), ints([0])]),
        ints([4, 2, 3]),
      ]),
  },
  { name: "Tile", shapes: [[2, 3]], build: withIntegers("Tile", [[3, 2]]) },
  { name: "Trilu", shapes: [[2, 3, 3]], build: one("Trilu", { upper: int(0) }) },
  {
    name: "Trilu of another diagonal",
    shapes: [[3, 4]],
    build: ([x], { add, ints }) => add("Trilu", [only(x), ints([1], [])]),
  },
  {
    name: "ReverseSequence",
    shapes: [[4, 3, 2]],
    build: withIntegers("ReverseSequence", [[1, 4, 2]]),
  },
  {
    name: "Concat, Split",
    shapes: [
      [2, 3],
      [2, 5],
    ],
    build: (inputs, { add, many, ints, floats }) => {
      const joined = add("Concat", inputs, { axis: int(-1) });
      const [first, second, third] = many("Split", 3, [joined, ints([2, 2, 4])], { axis: int(1) });
      void second;
      return [add("Mul", [only(first), floats([2])]), add("Neg", [only(third)])];
    },
  },
  {
    name: "Split in equal parts",
    shapes: [[5, 2]],
    build: ([x], { many }) => many("Split", 2, [only(x)], { num_outputs: int(2) }),
  },
  {
    name: "DepthToSpace",
    shapes: [[1, 8, 2, 3]],
    build: one("DepthToSpace", { blocksize: int(2) }),
  },
  {
    name: "DepthToSpace, columns first",
    shapes: [[1, 8, 2, 3]],
    build: one("DepthToSpace", { blocksize: int(2), mode: string("CRD") }),
  },
  {
    name: "SpaceToDepth",
    shapes: [[1, 2, 4, 6]],
    build: one("SpaceToDepth", { blocksize: int(2) }),
  },
  ...slices.map(([name, ...bounds]): Case => ({
    name: `Slice ${name}`,
    shapes: [[7, 6]],
    build: withIntegers("Slice", bounds),
  })),
  ...pads.map(([mode, counts]): Case => ({
    name: `Pad ${mode} by ${only(counts).join()}`,
    shapes: [[4, 3]],
    build: withIntegers("Pad", [only(counts)], { mode: string(mode) }),
  })),
  {
    name: "Pad, and its constant",
    shapes: [[2, 3], []],
    build: ([x, value], { add, ints }) => add("Pad", [only(x), ints([1, 0, 0, 2]), only(value)]),
  },
  { name: "Pad that cuts", shapes: [[4, 5]], build: withIntegers("Pad", [[1, -1, -2, 1]]) },
  {
    name: "Gather of rows, some twice",
    shapes: [[6, 4]],
    build: ([x], { add, ints }) => add("Gather", [only(x), ints([1, 3, 1, 5, 0, -1], [2, 3])]),
  },
  {
    name: "Gather of rows, some twice, by int32",
    shapes: [[6, 4]],
    build: ([x], { add, editor }) => {
      const ids = Tensor.of("int32", [2, 2], Int32Array.of(1, 3, 1, -1));
      return add("Gather", [only(x), editor.constant("ids", ids)]);
    },
  },
  {
    name: "Gather along another axis",
    shapes: [[2, 5, 3]],
    build: ([x], { add, ints }) => add("Gather", [only(x), ints([4, 0, 4])], { axis: int(1) }),
  },
  {
    name: "Gather of each once",
    shapes: [[2, 5, 3]],
    build: ([x], { add, ints }) => add("Gather", [only(x), ints([4, 0])], { axis: int(1) }),
  },
  {
    name: "Gather of one",
    shapes: [[2, 5, 3]],
    build: ([x], { add, ints }) => add("Gather", [only(x), ints([0], [])], { axis: int(1) }),
  },
  {
    name: "GatherElements",
    shapes: [[3, 4]],
    build: ([x], { add, ints }) =>
      add("GatherElements", [only(x), ints([0, 0, 3, 1, 2, 2], [3, 2])], { axis: int(1) }),
  },
  {
    name: "GatherND",
    shapes: [[3, 4, 2]],
    build: ([x], { add, ints }) => add("GatherND", [only(x), ints([0, 1, 2, 3, 0, 1], [3, 2])]),
  },
  ...["none", "add"].flatMap((reduction): Case[] => [
    {
      name: `ScatterElements, ${reduction}`,
      shapes: [
        [3, 4],
        [3, 2],
      ],
      build: ([x, updates], { add, ints }) =>
        add("ScatterElements", [only(x), ints([0, 1, 3, 1, 2, 0], [3, 2]), only(updates)], {
          axis: int(1),
          reduction: string(reduction),
        }),
    },
    {
      name: `ScatterND, ${reduction}`,
      shapes: [
        [4, 3],
        [2, 3],
      ],
      build: ([x, updates], { add, ints }) =>
        add("ScatterND", [only(x), ints([2, 0], [2, 1]), only(updates)], {
          reduction: string(reduction),
        }),
    },
  ]),
  ...resizes.map(([name, sizes, attributes]): Case => ({
    name: `Resize ${name}`,
    shapes: [[1, 2, 4, 3]],
    build: ([x], { add, ints }) => add("Resize", [only(x), null, null, ints(sizes)], attributes),
  })),
  {
    name: "Resize linear, aligned corners, by factors that leave a part of a place",
    shapes: [[1, 2, 8, 8]],
    build: ([x], { add, floats }) =>
      add("Resize", [only(x), null, floats([1, 1, 1.7, 0.6])], {
        mode: string("linear"),
        coordinate_transformation_mode: string("align_corners"),
      }),
  },
  ...["nearest", "linear", "cubic"].flatMap((mode) =>
    ["zeros", "border", "reflection"].flatMap((padding) =>
      [0, 1].map((aligned): Case => ({
        name: `GridSample ${mode}, beyond ${padding}${aligned === 1 ? ", aligned corners" : ""}`,
        shapes: [
          [2, 3, 4, 3],
          [2, 5, 1, 2],
        ],
        values: ["normal", "small"],
        build: ([x, moved], { add, floats }) => {
          const near = add("Mul", [only(moved), floats([0.02])]);
          return add("GridSample", [only(x), add("Add", [near, floats(points, [2, 5, 1, 2])])], {
            mode: string(mode),
            padding_mode: string(padding),
            align_corners: int(aligned),
          });
        },
      })),
    ),
  ),
  {
    name: "GridSample of a volume",
    shapes: [[1, 2, 3, 4, 3]],
    build: ([x], { add, floats }) =>
      add("GridSample", [only(x), floats(points.slice(0, 18), [1, 2, 3, 1, 3])]),
  },
  {
    name: "Resize by scales of two axes",
    shapes: [[1, 2, 4, 3]],
    build: ([x], { add, floats }) =>
      add("Resize", [only(x), null, floats([1.5, 2])], {
        axes: list([2, 3]),
        mode: string("linear"),
      }),
  },
  {
    name: "Resize of a crop",
    shapes: [[1, 1, 4, 4]],
    build: ([x], { add, floats, ints }) =>
      add(
        "Resize",
        [only(x), floats([0, 0, 0.1, -0.2, 1, 1, 0.7, 1.1]), null, ints([1, 1, 3, 6])],
        {
          mode: string("linear"),
          coordinate_transformation_mode: string("tf_crop_and_resize"),
          extrapolation_value: float(2),
        },
      ),
  },
];

checkGradients("gradients of what moves elements", cases);

it.each(["reflect", "edge", "wrap"])(
  "the gradient of Pad %s is no larger than what it pads",
  (mode) => {
    const graph = graphOf({ x: ["float32", 1, 2, 5000] }, (input, { add, ints }) => ({
      y: add("Pad", [input("x"), ints([0, 0, 40, 0, 0, 40])], { mode: string(mode) }),
    }));
    withGradients(graph, "cpu");
    const counts = [...graph.allValues()].flatMap(({ constant }) => constant?.count ?? []);
    expect(Math.max(...counts)).toBeLessThan(100);
  },
);

it("refuses Pad of an axis by several times itself, of which engines make anything", () => {
  const graph = graphOf({ x: ["float32", 2] }, (input, { add, ints }) => ({
    y: add("Pad", [input("x"), ints([9, 9])], { mode: string("wrap") }),
  }));
  expect(() => withGradients(graph, "cpu")).toThrow(/its pads are more than the axis is long/);
});

it("refuses an axis that is resized by a matrix too large", () => {
  const graph = graphOf({ x: ["float32", 1, 1, 5000] }, (input, { add, ints }) => ({
    y: add("Resize", [input("x"), null, null, ints([1, 1, 5001])], { mode: string("linear") }),
  }));
  expect(() => withGradients(graph, "cpu")).toThrow(/an axis of 5000 becomes one of 5001/);
});
checkOutputs("what moves elements gives with gradients what it gives without", cases);
