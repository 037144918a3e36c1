import { describe, expect, it } from "vitest";
import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, type Declared, graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { lowerOpset } from "../lower-opset.js";
import { sameAfter } from "./opset-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const { int, string } = attribute;

const matrix: Declared = ["float32", 3, 4];
const image: Declared = ["float32", 1, 2, 4, 6];

const to = (opset: number) => lowerOpset.create(lowerOpset.parse({ opset }));

function single(input: Declared, build: Build) {
  return graphOf({ x: input }, (x, b) => ({ y: build(x("x"), b) }));
}

/** What a reduction over no axes makes of each element. */
const elementwise: Readonly<Record<string, string>> = {
  ReduceL1: "Abs",
  ReduceL2: "Abs",
  ReduceLogSum: "Log",
  ReduceSumSquare: "Mul",
};

describe("in an older opset, the engine gives what it gave", () => {
  it.each<[string, number, Declared, string[], Build]>([
    ["Gelu", 17, matrix, ["Div", "Erf", "Add", "Mul", "Mul"], (x, b) => b.add("Gelu", [x])],
    [
      "Gelu with tanh",
      13,
      matrix,
      ["Mul", "Pow", "Mul", "Add", "Mul", "Tanh", "Add", "Mul"],
      (x, b) => b.add("Gelu", [x], { approximate: string("tanh") }),
    ],
    [
      "LayerNormalization",
      13,
      matrix,
      ["ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"],
      (x, b) => b.add("LayerNormalization", [x, b.weights(4), b.weights(4)]),
    ],
    [
      "Reshape to sizes that are never 0, where 0 would mean 0",
      13,
      ["float32", "batch", 2, 3],
      ["Shape", "Slice", "Concat", "Reshape"],
      (x, b) => {
        const batch = b.add("Shape", [x], { start: int(0), end: int(1) });
        const target = b.add("Concat", [batch, b.ints([-1])], { axis: int(0) });
        return b.add("Reshape", [x, target], { allowzero: int(1) });
      },
    ],
    [
      "Reshape of what has no elements where a size is 0",
      13,
      ["float32", "batch", 2, 3, 4],
      ["Flatten", "Shape", "Reshape"],
      (x, b) => {
        const rows = b.add("Flatten", [x], { axis: int(2) });
        return b.add("Reshape", [rows, b.add("Shape", [x])], { allowzero: int(1) });
      },
    ],
    [
      "GroupNormalization",
      18,
      ["float32", 2, 4, 3, 5],
      ["Reshape", "InstanceNormalization", "Shape", "Reshape", "Reshape", "Mul", "Reshape", "Add"],
      (x, b) =>
        b.add("GroupNormalization", [x, b.weights(4), b.weights(4)], { num_groups: int(2) }),
    ],
    ["HardSwish", 13, matrix, ["HardSigmoid", "Mul"], (x, b) => b.add("HardSwish", [x])],
    ["Mish", 15, matrix, ["Softplus", "Tanh", "Mul"], (x, b) => b.add("Mish", [x])],
    [
      "Softmax over an inner axis",
      12,
      ["float32", 2, 3, 4],
      ["Transpose", "Softmax", "Transpose"],
      (x, b) => b.add("Softmax", [x], { axis: int(1) }),
    ],
    [
      "Softmax over the last axis",
      9,
      ["float32", 2, 3, 4],
      ["Softmax"],
      (x, b) => b.add("Softmax", [x], { axis: int(-1) }),
    ],
    [
      "Softmax over the last axis, which it does not say, of a rank that is not known",
      12,
      ["float32", 2, 3, 4],
      ["Shape", "ReduceMin", "Less", "Compress", "Reshape", "Softmax"],
      (x, b) => {
        const least = b.add("ReduceMin", [x, b.ints([0, 2])], { keepdims: int(0) });
        const isEach = b.add("Less", [least, b.floats([100])]);
        const same = b.add("Compress", [b.add("Shape", [x]), isEach]);
        return b.add("Softmax", [b.add("Reshape", [x, same])]);
      },
    ],
    ["ReduceMean", 17, matrix, ["ReduceMean"], (x, b) => b.add("ReduceMean", [x, b.ints([-1])])],
    [
      "ReduceSum, its axis from the end",
      10,
      matrix,
      ["ReduceSum"],
      (x, b) => b.add("ReduceSum", [x, b.ints([-1])], { keepdims: int(0) }),
    ],
    [
      "Squeeze, Unsqueeze and what follows them",
      10,
      ["float32", 1, 3, 1, 4],
      ["Squeeze", "Concat", "Unsqueeze"],
      (x, b) => {
        const squeezed = b.add("Squeeze", [x, b.ints([0])]);
        return b.add("Unsqueeze", [
          b.add("Concat", [squeezed, squeezed], { axis: int(-1) }),
          b.ints([-1]),
        ]);
      },
    ],
    [
      "Slice",
      9,
      matrix,
      ["Slice"],
      (x, b) => b.add("Slice", [x, b.ints([1]), b.ints([Number.MAX_SAFE_INTEGER]), b.ints([-1])]),
    ],
    [
      "Pad of named axes",
      10,
      matrix,
      ["Pad"],
      (x, b) => b.add("Pad", [x, b.ints([1, 2]), b.floats([0.5]), b.ints([-1])]),
    ],
    ["Clip", 10, matrix, ["Clip"], (x, b) => b.add("Clip", [x, b.floats([-1]), b.floats([1])])],
    [
      "Split into equal parts",
      12,
      matrix,
      ["Split", "Concat"],
      (x, b) =>
        b.add(
          "Concat",
          [...b.many("Split", 2, [x], { axis: int(1), num_outputs: int(2) })].reverse(),
          { axis: int(1) },
        ),
    ],
    [
      "Split into parts that are not equal",
      17,
      ["float32", 3, 5],
      ["Split", "Concat"],
      (x, b) =>
        b.add(
          "Concat",
          [...b.many("Split", 2, [x], { axis: int(-1), num_outputs: int(2) })].reverse(),
          { axis: int(1) },
        ),
    ],
    [
      "Resize to a size",
      11,
      image,
      ["Resize"],
      (x, b) => b.add("Resize", [x, null, null, b.ints([1, 2, 8, 9])], { mode: string("linear") }),
    ],
    [
      "Resize of named axes",
      17,
      ["float32", 1, 2, "H", "W"],
      ["Shape", "Concat", "Gather", "Resize", "Resize", "Shape", "Shape", "Slice", "Concat", "Resize"], // prettier-ignore
      (x, b) => {
        const to = b.add("Slice", [b.add("Shape", [x]), b.ints([2]), b.ints([4])]);
        const linear = { mode: string("linear") };
        const [named, turned] = [attribute.ints([2, 3]), attribute.ints([-1, -2])];
        const wide = b.add("Resize", [x, null, null, b.ints([5, 9])], { ...linear, axes: turned });
        const scaled = b.add("Resize", [wide, null, b.floats([2, 2])], { ...linear, axes: named });
        return b.add("Resize", [scaled, null, null, to], { ...linear, axes: named });
      },
    ],
    [
      "Resize by whole numbers",
      9,
      image,
      ["Upsample"],
      (x, b) =>
        b.add("Resize", [x, null, b.floats([1, 1, 2, 3])], {
          coordinate_transformation_mode: string("asymmetric"),
          nearest_mode: string("floor"),
        }),
    ],
    [
      "Resize by whole numbers, which an attribute said",
      7,
      image,
      ["Upsample"],
      (x, b) =>
        b.add("Resize", [x, null, b.floats([1, 1, 2, 3])], {
          coordinate_transformation_mode: string("asymmetric"),
          nearest_mode: string("floor"),
        }),
    ],
    [
      "LayerNormalization of halves, in single precision",
      13,
      ["float32", 2, 512],
      ["Mul", "Cast", "Cast", "ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Cast", "Mul", "Cast", "Sign"], // prettier-ignore
      (x, b) => {
        const ones = Tensor.of("float16", [512], new Uint16Array(512).fill(0x3c00));
        const half = b.add("Cast", [b.add("Mul", [x, b.floats([1000])])], { to: int(10) });
        const y = b.add("LayerNormalization", [half, b.editor.constant("ones", ones)]);
        // What rounds it to halves, or does not, is the engine's affair.
        return b.add("Sign", [b.add("Cast", [y], { to: int(1) })]);
      },
    ],
    [
      "QuantizeLinear to signed integers, without a zero point",
      19,
      matrix,
      ["QuantizeLinear"],
      (x, b) => b.add("QuantizeLinear", [x, b.floats([0.05])], { output_dtype: int(3) }),
    ],
    [
      "QuantizeLinear by columns",
      13,
      matrix,
      ["QuantizeLinear"],
      (x, b) =>
        b.add("QuantizeLinear", [x, b.floats([0.05, 0.1, 0.2, 0.3])], {
          axis: int(1),
          output_dtype: int(3),
        }),
    ],
    [
      "DequantizeLinear by scales of float16",
      18,
      ["uint8", 3, 4],
      ["Cast", "DequantizeLinear", "Cast", "Cast"],
      (x, b) => {
        const scale = Tensor.of("float16", [], Uint16Array.of(0x2c01));
        const y = b.add("DequantizeLinear", [x, b.editor.constant("scale", scale)]);
        return b.add("Cast", [y], { to: int(1) });
      },
    ],
    [
      "MaxPool that gives places, which nothing reads",
      7,
      image,
      ["MaxPool"],
      (x, b) => {
        const attributes = { kernel_shape: attribute.ints([2, 2]), storage_order: int(1) };
        return b.many("MaxPool", 2, [x], attributes)[0] ?? x;
      },
    ],
    ["Max of one shape", 7, matrix, ["Neg", "Max"], (x, b) => b.add("Max", [x, b.add("Neg", [x])])],
    ...[
      "ReduceL1",
      "ReduceL2",
      "ReduceLogSum",
      "ReduceLogSumExp",
      "ReduceMax",
      "ReduceSumSquare",
    ].map((op): [string, number, Declared, string[], Build] => [
      `${op} of each element alone`,
      17,
      matrix,
      ["Exp", elementwise[op] ?? "Identity"],
      (x, b) => b.add(op, [b.add("Exp", [x])], { noop_with_empty_axes: int(1) }),
    ]),
    ["Gemm without a bias", 9, matrix, ["Gemm"], (x, b) => b.add("Gemm", [x, b.weights(4, 2)])],
    [
      "Shape of some axes",
      13,
      ["float32", 2, 3, 4],
      ["Shape", "Slice", "Cast"],
      (x, b) => b.add("Cast", [b.add("Shape", [x], { start: int(1) })], { to: int(1) }),
    ],
    [
      "OneHot on a middle axis",
      9,
      ["int64", 3, 4],
      ["OneHot"],
      (x, b) => b.add("OneHot", [x, b.ints([4], []), b.floats([0, 1])], { axis: int(-2) }),
    ],
    [
      "Pow by whole numbers",
      9,
      matrix,
      ["Cast", "Pow"],
      (x, b) => b.add("Pow", [x, b.ints([2], [])]),
    ],
    [
      "Dropout",
      9,
      matrix,
      ["Dropout"],
      (x, b) => b.add("Dropout", [x, b.floats([0.3])], { seed: int(1) }),
    ],
    [
      "GridSample",
      16,
      image,
      ["GridSample"],
      (x, b) => b.add("GridSample", [x, b.weights(1, 3, 3, 2)], { mode: string("linear") }),
    ],
    ["TopK", 9, matrix, ["TopK"], (x, b) => b.many("TopK", 2, [x, b.ints([2])])[0] ?? x],
    [
      "ScatterElements",
      10,
      matrix,
      ["Scatter"],
      (x, b) => b.add("ScatterElements", [x, b.ints([1, 2, 0, 0], [1, 4]), b.weights(1, 4)]),
    ],
  ])("%s (opset %i)", async (_, opset, input, expected, build) => {
    const lowered = await sameAfter(single(input, build), (graph) => to(opset).run(graph, {}));
    expect(lowered.opset()).toBe(opset);
    expect(opsOf(lowered)).toEqual(expected);
  });

  it("declares the shapes that it had", async () => {
    const graph = await sameAfter(
      single(["float32", 1, 3, 1, 4], (x, b) => b.add("Squeeze", [x, b.ints([0])])),
      (lowered) => to(11).run(lowered, {}),
    );
    const [output] = graph.main.outputs;
    expect(output === undefined ? undefined : graph.value(output).type).toMatchObject({
      shape: [3, 1, 4],
    });
  });
});
