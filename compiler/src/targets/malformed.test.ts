import { isPareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, Tensor, type ValueId } from "../ir/index.js";
import { run } from "../passes/quantization/engine-case.test.support.js";
import { type Builder, type Declared, graphOf, madeUp } from "../rules/rule-case.test.support.js";
import { aot } from "./aot.js";

type Build = (input: (name: string) => ValueId, b: Builder) => ValueId;
type Case = readonly [
  why: string,
  inputs: Readonly<Record<string, Declared>>,
  build: Build,
  what: string,
];

const image: Readonly<Record<string, Declared>> = { x: ["float32", 1, 4, 6, 6] };
const matrix: Readonly<Record<string, Declared>> = { x: ["float32", 3, 4] };
const pair = (other: Declared): Readonly<Record<string, Declared>> => ({ ...matrix, z: other });
const { int, ints, string } = attribute;

/** Each is a node of which its operator demands something else; no engine runs it. */
const cases: readonly Case[] = [
  [
    "an axis that there is not, of Concat",
    matrix,
    (x, b) => b.add("Concat", [x("x"), x("x")], { axis: int(2) }),
    "it has no such axis",
  ],
  [
    "an axis far outside, of Gather",
    { ...matrix, i: ["int64", 3] },
    (x, b) => b.add("Gather", [x("x"), x("i")], { axis: int(2 ** 31) }),
    "it has no such axis",
  ],
  [
    "parts that do not fit beside one another",
    pair(["float32", 3, 5]),
    (x, b) => b.add("Concat", [x("x"), x("z")], { axis: int(0) }),
    "its inputs do not fit beside one another",
  ],
  [
    "groups that do not fit channels",
    image,
    (x, b) => b.add("Conv", [x("x"), b.weights(4, 4, 3, 3)], { group: int(2) }),
    "its groups do not fit its channels",
  ],
  [
    "a group below 0",
    image,
    (x, b) => b.add("Conv", [x("x"), b.weights(4, 4, 3, 3)], { group: int(-2) }),
    "its groups do not fit its channels",
  ],
  [
    "a bias of other maps",
    image,
    (x, b) => b.add("Conv", [x("x"), b.weights(4, 4, 3, 3), b.weights(3)]),
    "its bias is not as long as it has maps",
  ],
  [
    "strides for one axis of two",
    image,
    (x, b) => b.add("Conv", [x("x"), b.weights(4, 4, 3, 3)], { strides: ints([2]) }),
    "its strides, dilations and pads are not as many as its axes",
  ],
  [
    "a kernel_shape that the weights do not have",
    image,
    (x, b) => b.add("Conv", [x("x"), b.weights(4, 4, 3, 3)], { kernel_shape: ints([2, 2]) }),
    "its kernel_shape is not that of its weights",
  ],
  [
    "a transposed convolution of other channels",
    image,
    (x, b) => b.add("ConvTranspose", [x("x"), b.weights(3, 2, 3, 3)]),
    "its groups do not fit its channels",
  ],
  [
    "a pool without a kernel along an axis",
    image,
    (x, b) => b.add("MaxPool", [x("x")], { kernel_shape: ints([2]) }),
    "its strides, dilations and pads are not as many as its axes",
  ],
  [
    "matrices that do not fit",
    matrix,
    (x, b) => b.add("MatMul", [x("x"), b.weights(5, 2)]),
    "its matrices do not fit",
  ],
  [
    "matrices that do not fit when they are turned",
    matrix,
    (x, b) => b.add("Gemm", [x("x"), b.weights(4, 5)], { transB: int(1) }),
    "its matrices do not fit",
  ],
  [
    "two types in one sum",
    pair(["int64", 3, 4]),
    (x, b) => b.add("Add", [x("x"), x("z")]),
    "it computes with int64 where it needs float32",
  ],
  [
    "an input more than it takes",
    { x: ["bool", 3], z: ["bool", 3], t: ["bool", 3] },
    (x, b) => b.add("Or", [x("x"), x("z"), x("t")]),
    "it takes 2 inputs, and has 3",
  ],
  [
    "a state of another batch",
    { x: ["float32", 2, 3, 4], h: ["float32", 1, 1, 5] },
    (x, b) =>
      b.add("GRU", [x("x"), b.weights(1, 15, 4), b.weights(1, 15, 5), null, null, x("h")], {
        hidden_size: int(5),
      }),
    "its weights and states do not fit its input",
  ],
  [
    "a hidden_size that its weights do not have",
    { x: ["float32", 2, 3, 4] },
    (x, b) =>
      b.add("LSTM", [x("x"), b.weights(1, 20, 4), b.weights(1, 20, 5)], { hidden_size: int(7) }),
    "its weights are not those of its hidden_size",
  ],
  [
    "scales for other channels",
    image,
    (x, b) =>
      b.add("BatchNormalization", [x("x"), ...Array.from({ length: 4 }, () => b.weights(3))]),
    "its numbers are not as many as its channels",
  ],
  [
    "a number of groups that does not divide the channels",
    image,
    (x, b) =>
      b.add("GroupNormalization", [x("x"), b.weights(4), b.weights(4)], { num_groups: int(3) }),
    "its groups do not fit its channels",
  ],
  [
    "parts that are not all of it",
    matrix,
    (x, b) => b.many("Split", 2, [x("x"), b.ints([1, 4])], { axis: int(1) })[1] ?? x("x"),
    "its parts are not all of its input",
  ],
  [
    "an order that leaves an axis out",
    { x: ["float32", 2, 3, 4] },
    (x, b) => b.add("Transpose", [x("x")], { perm: ints([2, 2, 0]) }),
    "its perm is no order of its axes",
  ],
  [
    "a result with more elements",
    matrix,
    (x, b) => b.add("Reshape", [x("x"), b.ints([3, 5])]),
    "its result has not as many elements as its input",
  ],
  [
    "indices of more rows than there are",
    { ...matrix, i: ["int64", 5, 4] },
    (x, b) => b.add("GatherElements", [x("x"), x("i")], { axis: int(1) }),
    "its indices have other sizes than its input",
  ],
  [
    "fewer updates than indices",
    { ...matrix, i: ["int64", 2, 1], u: ["float32", 1, 4] },
    (x, b) => b.add("ScatterND", [x("x"), x("i"), x("u")]),
    "its updates are not as many as its indices",
  ],
  [
    "a mode of padding that nobody knows",
    matrix,
    (x, b) => b.add("Pad", [x("x"), b.ints([0, 1, 0, 1])], { mode: string("bicubic") }),
    "its mode is not known",
  ],
  [
    "boxes that there are no scores for",
    { boxes: ["float32", 1, 6, 4], scores: ["float32", 1, 1, 7] },
    (x, b) => b.add("NonMaxSuppression", [x("boxes"), x("scores"), b.ints([3])]),
    "its boxes do not fit its scores",
  ],
  [
    "a scale that is no float",
    { x: ["int8", 3, 4] },
    (x, b) => {
      const scale = b.editor.constant("scale", Tensor.of("int8", [], Int8Array.of(3)));
      return b.add("DequantizeLinear", [x("x"), scale]);
    },
    "it computes with int8 where it needs floats",
  ],
  [
    "slopes for other channels",
    matrix,
    (x, b) => b.add("PRelu", [x("x"), b.weights(5)]),
    "its slopes do not fit its input",
  ],
];

it.each(cases)("refuses %s, as the engine does", async (_, inputs, build, what) => {
  const graph = graphOf(inputs, (input, b) => ({ y: b.add("Neg", [build(input, b)]) }));
  const reasons = (await aot.obstacles?.(graph))?.map(({ reason }) => reason);
  expect(reasons).toContain(what);
  const thrown: unknown = await aot.emit(graph, {}).catch((error: unknown) => error);
  expect(isPareError(thrown) && thrown.code).toBe("UNSUPPORTED_OP");
  await expect(run(graph, madeUp(graph, {}))).rejects.toThrow();
});

/** Numbers for yes that are not 1: engines take them for no. */
const flags: readonly (readonly [string, Readonly<Record<string, Declared>>, Build])[] = [
  ["keepdims", matrix, (x, b) => b.add("ReduceSum", [x("x"), b.ints([0])], { keepdims: int(2) })],
  ["keepdims", matrix, (x, b) => b.add("ArgMax", [x("x")], { axis: int(1), keepdims: int(-1) })],
  [
    "noop_with_empty_axes",
    matrix,
    (x, b) => b.add("ReduceMax", [x("x")], { noop_with_empty_axes: int(2) }),
  ],
  [
    "ceil_mode",
    { x: ["float32", 1, 1, 4, 4] },
    (x, b) =>
      b.add("MaxPool", [x("x")], {
        kernel_shape: ints([3, 3]),
        strides: ints([2, 2]),
        ceil_mode: int(2),
      }),
  ],
];

it.each(flags)("takes no number but 1 for yes: %s", async (name, inputs, build) => {
  const graph = graphOf(inputs, (input, b) => ({ y: build(input, b) }));
  const { y } = await run(graph, madeUp(graph, {}));
  const shapes = graph.main.outputs.map((id) => {
    const { type } = graph.value(id);
    return type.kind === "tensor" ? type.shape : undefined;
  });
  expect(shapes).toEqual([y?.dims]);
  const reasons = (await aot.obstacles?.(graph))?.map(({ reason }) => reason);
  expect(reasons).toEqual([`its ${name} is neither 0 nor 1`]);
});
