import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { type CheckOptions, gradientError } from "./gradient-check.test.support.js";

const { int, ints, float, string } = attribute;
type Build = (inputs: readonly ValueId[], builder: Builder) => ValueId | readonly ValueId[];
interface Case {
  readonly name: string;
  readonly graph: () => Graph;
  readonly options: CheckOptions;
}

/** A graph of float inputs x0, x1, … of these shapes. */
function network(shapes: readonly (readonly number[])[], build: Build): Graph {
  const declared = Object.fromEntries(
    shapes.map((dims, index) => [`x${index}`, ["float32", ...dims] as const]),
  );
  return graphOf(declared, (input, builder) => {
    const built = build(
      shapes.map((_, index) => input(`x${index}`)),
      builder,
    );
    const outputs = typeof built === "number" ? [built] : built;
    return Object.fromEntries(outputs.map((id, index) => [`y${index}`, id]));
  });
}

const cases: Case[] = [];

function check(
  name: string,
  shapes: readonly (readonly number[])[],
  build: Build,
  options: CheckOptions = {},
): void {
  cases.push({ name, graph: () => network(shapes, build), options });
}

/** One operator on all inputs. */
function one(op: string, attributes: Attributes = {}): Build {
  return (inputs, { add }) => add(op, inputs, attributes);
}

// Arithmetic

for (const op of ["Add", "Sub", "Mul"]) {
  check(
    `${op} of equal shapes`,
    [
      [3, 4],
      [3, 4],
    ],
    one(op),
  );
  check(
    `${op} broadcast`,
    [
      [2, 3, 4],
      [3, 1],
    ],
    one(op),
  );
  check(
    `${op} broadcast, the first too`,
    [
      [3, 1],
      [2, 1, 4],
    ],
    one(op),
  );
}
check(
  "Div broadcast",
  [
    [2, 3, 4],
    [1, 4],
  ],
  one("Div"),
  { values: "positive" },
);
check("Pow of a square", [[3, 5]], ([x = 0 as ValueId], { add, floats }) =>
  add("Pow", [x, floats([2], [])]),
);
check(
  "Pow of a root",
  [[3, 5]],
  ([x = 0 as ValueId], { add, floats }) => add("Pow", [x, floats([0.5], [])]),
  { values: "positive" },
);
check("Pow of both", [[2, 3, 5], [5]], one("Pow"), { values: "positive", epsilon: 2e-3 });
check(
  "PRelu",
  [
    [2, 3, 4],
    [3, 1],
  ],
  one("PRelu"),
  { values: "kinked" },
);
check("a value used twice", [[3, 4]], ([x = 0 as ValueId], { add }) =>
  add("Mul", [x, add("Add", [x, x])]),
);

// Products

check(
  "MatMul",
  [
    [3, 4],
    [4, 5],
  ],
  one("MatMul"),
);
check(
  "MatMul of a batch and a matrix",
  [
    [2, 3, 4],
    [4, 5],
  ],
  one("MatMul"),
);
check(
  "MatMul of a matrix and a batch",
  [
    [3, 4],
    [2, 4, 5],
  ],
  one("MatMul"),
);
check(
  "MatMul broadcast",
  [
    [2, 1, 3, 4],
    [3, 4, 5],
  ],
  one("MatMul"),
);
check("MatMul of a row", [[4], [2, 4, 5]], one("MatMul"));
check("MatMul of a column", [[2, 3, 4], [4]], one("MatMul"));
check("MatMul of vectors", [[4], [4]], one("MatMul"));
check("MatMul of a row and a matrix", [[4], [4, 5]], one("MatMul"));
for (const transA of [0, 1])
  for (const transB of [0, 1])
    check(
      `Gemm transA ${transA} transB ${transB}`,
      [transA ? [4, 3] : [3, 4], transB ? [5, 4] : [4, 5], [5]],
      one("Gemm", {
        transA: int(transA),
        transB: int(transB),
        alpha: float(0.7),
        beta: float(1.3),
      }),
    );
check(
  "Gemm with a column of biases",
  [
    [3, 4],
    [4, 5],
    [3, 1],
  ],
  one("Gemm"),
);
check(
  "Gemm without a bias",
  [
    [3, 4],
    [4, 5],
  ],
  one("Gemm"),
);

// Convolutions

const convolutions: readonly (readonly [
  string,
  readonly number[],
  readonly number[],
  Attributes,
])[] = [
  ["3×3", [2, 5, 6, 6], [4, 5, 3, 3], { pads: ints([1, 1, 1, 1]) }],
  ["3×3 of few channels", [2, 3, 6, 7], [4, 3, 3, 3], { pads: ints([1, 1, 1, 1]) }],
  [
    "3×3 stride 2, odd",
    [2, 5, 7, 7],
    [4, 5, 3, 3],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
  ],
  [
    "3×3 stride 2, even",
    [2, 5, 8, 8],
    [4, 5, 3, 3],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
  ],
  [
    "5×5 stride 2, asymmetric pads",
    [2, 3, 8, 9],
    [4, 3, 5, 5],
    { pads: ints([1, 2, 2, 1]), strides: ints([2, 2]) },
  ],
  [
    "SAME_UPPER stride 2",
    [1, 5, 7, 8],
    [4, 5, 3, 3],
    { auto_pad: string("SAME_UPPER"), strides: ints([2, 2]) },
  ],
  ["SAME_LOWER", [1, 5, 5, 6], [4, 5, 2, 2], { auto_pad: string("SAME_LOWER") }],
  [
    "3×3 dilation 2",
    [2, 5, 9, 9],
    [4, 5, 3, 3],
    { pads: ints([2, 2, 2, 2]), dilations: ints([2, 2]) },
  ],
  [
    "3×3 dilation 2 stride 2",
    [2, 5, 10, 10],
    [4, 5, 3, 3],
    { pads: ints([2, 2, 2, 2]), dilations: ints([2, 2]), strides: ints([2, 2]) },
  ],
  ["1×1", [2, 6, 5, 5], [4, 6, 1, 1], {}],
  ["1×1 stride 2", [2, 6, 6, 6], [4, 6, 1, 1], { strides: ints([2, 2]) }],
  ["1×1 of a sample", [1, 6, 4, 4], [4, 6, 1, 1], {}],
  [
    "7×7 stride 4",
    [1, 3, 18, 18],
    [2, 3, 7, 7],
    { strides: ints([4, 4]), pads: ints([3, 3, 3, 3]) },
  ],
  ["pads beyond the kernel", [1, 5, 4, 4], [3, 5, 2, 2], { pads: ints([2, 2, 2, 2]) }],
  ["groups 3×3", [2, 4, 6, 6], [6, 2, 3, 3], { pads: ints([1, 1, 1, 1]), group: int(2) }],
  [
    "groups 3×3 stride 2",
    [2, 4, 8, 8],
    [6, 2, 3, 3],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(2) },
  ],
  ["groups 1×1", [2, 4, 4, 4], [6, 2, 1, 1], { group: int(2) }],
  ["depthwise 3×3", [2, 4, 7, 7], [4, 1, 3, 3], { pads: ints([1, 1, 1, 1]), group: int(4) }],
  [
    "depthwise 3×3 stride 2",
    [2, 4, 8, 8],
    [4, 1, 3, 3],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(4) },
  ],
  [
    "depthwise 3×5 dilated",
    [1, 3, 8, 9],
    [3, 1, 3, 5],
    { pads: ints([1, 2, 1, 2]), dilations: ints([1, 2]), group: int(3) },
  ],
  ["depthwise, long rows", [1, 2, 2, 70], [2, 1, 1, 3], { group: int(2) }],
  [
    "depthwise, two outputs each",
    [2, 3, 7, 7],
    [6, 1, 5, 5],
    { pads: ints([2, 2, 2, 2]), group: int(3) },
  ],
  [
    "depthwise, two outputs each, stride 2",
    [1, 3, 7, 7],
    [6, 1, 3, 3],
    { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]), group: int(3) },
  ],
  ["of one axis", [2, 5, 9], [4, 5, 3], { pads: ints([1, 1]), strides: ints([2]) }],
  ["of one axis, depthwise", [2, 4, 9], [4, 1, 3], { pads: ints([2, 0]), group: int(4) }],
  ["of three axes", [1, 5, 4, 4, 3], [2, 5, 2, 2, 2], { strides: ints([1, 2, 1]) }],
];
for (const [name, x, w, attributes] of convolutions)
  check(`Conv ${name}`, [x, w, [w[0] ?? 1]], one("Conv", attributes));

// Pools, norms, the rest of a CNN

for (const [name, x, attributes] of [
  ["2×2", [2, 3, 6, 6], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ["2×2 with a rest", [2, 3, 7, 5], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ["2×3 side by side", [1, 2, 4, 6], { kernel_shape: ints([2, 3]), strides: ints([2, 3]) }],
  [
    "3×3 stride 2",
    [2, 3, 7, 7],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  [
    "3×3 stride 1 dilation 2",
    [1, 2, 7, 7],
    { kernel_shape: ints([3, 3]), dilations: ints([2, 2]), pads: ints([2, 2, 2, 2]) },
  ],
  [
    "ceil_mode",
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  ],
  ["of one axis", [2, 3, 8], { kernel_shape: ints([2]), strides: ints([2]) }],
  ["of one axis, overlapping", [2, 3, 8], { kernel_shape: ints([3]), strides: ints([2]) }],
] as const)
  check(`MaxPool ${name}`, [x], one("MaxPool", attributes), { values: "distinct" });
for (const [name, x, attributes] of [
  ["2×2", [2, 3, 6, 6], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  [
    "3×3 stride 2 with pads",
    [2, 3, 7, 7],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  [
    "count_include_pad",
    [2, 3, 8, 8],
    {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      count_include_pad: int(1),
    },
  ],
  [
    "ceil_mode",
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  ],
  ["stride 1", [1, 2, 5, 5], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) }],
  ["of one axis", [2, 3, 8], { kernel_shape: ints([2]), strides: ints([2]) }],
] as const)
  check(`AveragePool ${name}`, [x], one("AveragePool", attributes));
check("GlobalAveragePool", [[2, 3, 4, 5]], one("GlobalAveragePool"));
check("GlobalMaxPool", [[2, 3, 4, 5]], one("GlobalMaxPool"), { values: "distinct" });
check("Relu", [[3, 5]], one("Relu"), { values: "kinked" });
check(
  "BatchNormalization",
  [[2, 3, 4, 4], [3], [3], [3], [3]],
  one("BatchNormalization", { epsilon: float(0.01) }),
  { values: { x4: "positive" } },
);
const training = { training_mode: int(1), momentum: float(0) };
check(
  "BatchNormalization in training",
  [[4, 3, 3, 3], [3], [3]],
  ([x = 0 as ValueId, scale = 0 as ValueId, bias = 0 as ValueId], { add, floats }) =>
    add("BatchNormalization", [x, scale, bias, floats([0, 0, 0]), floats([1, 1, 1])], training),
);
check(
  "BatchNormalization in training, of rows",
  [[6, 3], [3], [3]],
  ([x = 0 as ValueId, scale = 0 as ValueId, bias = 0 as ValueId], { add, floats }) =>
    add("BatchNormalization", [x, scale, bias, floats([0, 0, 0]), floats([1, 1, 1])], training),
);
check(
  "BatchNormalization in training, with momentum",
  [[4, 3, 3, 3], [3], [3]],
  ([x = 0 as ValueId, scale = 0 as ValueId, bias = 0 as ValueId], { add, floats }) =>
    add("BatchNormalization", [x, scale, bias, floats([0, 0, 0]), floats([1, 1, 1])], {
      training_mode: int(1),
    }),
);
check("LayerNormalization", [[2, 4, 8], [8], [8]], one("LayerNormalization"));
check(
  "LayerNormalization of two axes",
  [
    [2, 4, 8],
    [4, 8],
    [4, 8],
  ],
  one("LayerNormalization", { axis: int(1) }),
);
check("LayerNormalization without a bias", [[2, 4, 8], [8]], one("LayerNormalization"));
check("InstanceNormalization", [[2, 3, 4, 4], [3], [3]], one("InstanceNormalization"));
check(
  "GroupNormalization",
  [[2, 4, 3, 3], [4], [4]],
  one("GroupNormalization", { num_groups: int(2) }),
);
for (const axis of [-1, 1, 0]) {
  check(`Softmax of axis ${axis}`, [[3, 5, 2]], one("Softmax", { axis: int(axis) }));
  check(`LogSoftmax of axis ${axis}`, [[3, 5, 2]], one("LogSoftmax", { axis: int(axis) }));
}
for (const keepdims of [0, 1]) {
  for (const op of [
    "ReduceSum",
    "ReduceMean",
    "ReduceSumSquare",
    "ReduceL2",
    "ReduceLogSumExp",
    "ReduceL1",
    "ReduceLogSum",
    "ReduceMax",
    "ReduceMin",
  ]) {
    const values =
      op === "ReduceLogSum"
        ? "positive"
        : op === "ReduceL1"
          ? "kinked"
          : /Max|Min/.test(op)
            ? "distinct"
            : "normal";
    check(
      `${op} keepdims ${keepdims}`,
      [[2, 3, 4]],
      ([x = 0 as ValueId], { add, ints: axes }) =>
        add(op, [x, axes([0, -1])], { keepdims: int(keepdims) }),
      { values },
    );
  }
}
check("ReduceSum of all", [[2, 3]], one("ReduceSum", { keepdims: int(0) }));
check("ReduceSum of none", [[2, 3]], one("ReduceSum", { noop_with_empty_axes: int(1) }));
check("Transpose", [[2, 3, 4]], one("Transpose", { perm: ints([2, 0, 1]) }));
check("Transpose without perm", [[2, 3, 4]], one("Transpose"));
check("Reshape, Flatten", [[2, 3, 4]], ([x = 0 as ValueId], { add, ints: shape }) =>
  add("Flatten", [add("Reshape", [x, shape([0, -1, 2])])], { axis: int(2) }),
);
check("Squeeze, Unsqueeze, Expand", [[2, 1, 3]], ([x = 0 as ValueId], { add, ints: axes }) =>
  add("Expand", [add("Unsqueeze", [add("Squeeze", [x, axes([1])]), axes([0])]), axes([4, 2, 3])]),
);

describe.each(["cpu", "wasm"] as const)(
  "gradients on %s are what central differences give",
  (backend) => {
    it.each(cases.map((entry) => [entry.name, entry] as const))(
      "%s",
      async (_, { graph, options }) => {
        const { worst, where } = await gradientError(graph(), { ...options, backend });
        expect(worst, where).toBeLessThan(0.02);
      },
    );
  },
);
