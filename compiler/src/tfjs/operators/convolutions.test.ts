import { describe, it } from "vitest";
import {
  attr,
  expectAlike,
  floats,
  type Node,
  type Numbers,
} from "../tensorflow-model.test.support.js";

interface Convolution {
  readonly op: string;
  readonly input: readonly number[];
  readonly filter: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly padding?: string;
  readonly pads?: readonly number[];
  readonly format?: string;
  readonly free?: readonly number[];
  readonly more?: Readonly<Record<string, object>>;
  readonly also?: Readonly<Record<string, Numbers>>;
}

const one = [1, 1, 1, 1];

async function check(given: Convolution): Promise<void> {
  const {
    op,
    input,
    filter,
    strides = one,
    dilations = one,
    padding = "SAME",
    pads,
    format,
  } = given;
  const also = given.also ?? {};
  const node: Node = {
    op,
    inputs: ["x", "filter", ...Object.keys(also)],
    attr: {
      T: attr.type("DT_FLOAT"),
      strides: attr.ints(strides),
      dilations: attr.ints(dilations),
      padding: attr.text(padding),
      ...(pads && { explicit_paddings: attr.ints(pads) }),
      data_format: attr.text(format ?? "NHWC"),
      ...given.more,
    },
  };
  const free = given.free;
  await expectAlike({
    inputs: { x: { ...floats(input), ...(free && { free }) } },
    weights: { filter: floats(filter), ...also },
    nodes: [node],
  });
}

describe("a convolution of TensorFlow", () => {
  const steps = [one, [1, 2, 2, 1], [1, 3, 2, 1]];
  const paddings = ["SAME", "VALID"];
  for (const padding of paddings)
    for (const strides of steps)
      it(`is one of ONNX: ${padding}, steps of ${strides.slice(1, 3).join("×")}`, async () => {
        await check({ op: "Conv2D", input: [2, 7, 8, 3], filter: [3, 2, 3, 4], strides, padding });
        await check({
          op: "DepthwiseConv2dNative",
          input: [2, 7, 7, 3],
          filter: [3, 3, 3, 2],
          strides: [1, 2, 2, 1],
          padding,
        });
      });

  it("is dilated, padded as the file says, and grouped", async () => {
    await check({
      op: "Conv2D",
      input: [1, 9, 9, 2],
      filter: [3, 3, 2, 3],
      dilations: [1, 2, 3, 1],
    });
    await check({
      op: "DepthwiseConv2dNative",
      input: [1, 9, 9, 2],
      filter: [3, 3, 2, 1],
      dilations: [1, 2, 2, 1],
    });
    await check({
      op: "Conv2D",
      input: [1, 6, 6, 2],
      filter: [3, 3, 2, 3],
      padding: "EXPLICIT",
      pads: [0, 0, 1, 2, 0, 1, 0, 0],
    });
  });

  it("is of any size where its input is", async () => {
    const free = [-1, -1, -1, 3];
    await check({ op: "Conv2D", input: [2, 7, 8, 3], filter: [3, 2, 3, 4], free });
    await check({
      op: "Conv2D",
      input: [1, 7, 8, 3],
      filter: [3, 3, 3, 4],
      strides: [1, 2, 2, 1],
      free,
    });
    await check({
      op: "DepthwiseConv2dNative",
      input: [2, 8, 8, 3],
      filter: [3, 3, 3, 1],
      strides: [1, 2, 2, 1],
      free,
    });
  });

  it("is over three axes", async () => {
    await check({
      op: "Conv3D",
      input: [1, 4, 5, 6, 2],
      filter: [2, 3, 3, 2, 3],
      strides: [1, 1, 2, 2, 1],
      dilations: [1, 1, 1, 1, 1],
      format: "NDHWC",
    });
  });

  it("adds a bias and is activated where that is one node", async () => {
    const bias = floats([4]);
    for (const activation of ["Relu", "Relu6", "Elu", "Sigmoid"]) {
      const more = { fused_ops: attr.texts(["BiasAdd", activation]), num_args: attr.int(1) };
      await check({
        op: "_FusedConv2D",
        input: [1, 5, 5, 3],
        filter: [3, 3, 3, 4],
        more,
        also: { bias },
      });
    }
    await check({
      op: "FusedDepthwiseConv2dNative",
      input: [1, 5, 5, 4],
      filter: [3, 3, 4, 1],
      more: { fused_ops: attr.texts(["BiasAdd", "Relu6"]), num_args: attr.int(1) },
      also: { bias },
    });
    await check({
      op: "_FusedConv2D",
      input: [1, 5, 5, 3],
      filter: [3, 3, 3, 4],
      more: { fused_ops: attr.texts(["BiasAdd", "Prelu"]), num_args: attr.int(2) },
      also: { bias, slopes: floats([1, 1, 4]) },
    });
    await check({
      op: "_FusedConv2D",
      input: [1, 5, 5, 3],
      filter: [1, 1, 3, 4],
      more: {
        fused_ops: attr.texts(["BiasAdd", "LeakyRelu"]),
        num_args: attr.int(1),
        leakyrelu_alpha: attr.float(0.3),
      },
      also: { bias },
    });
  });
});

describe("a transposed convolution of TensorFlow", () => {
  const cases: readonly (readonly [
    string,
    readonly number[],
    readonly number[],
    number,
    number,
  ])[] = [
    // padding, input, wanted, filter, step
    ["SAME", [1, 4, 4, 3], [1, 8, 8, 2], 3, 2],
    ["SAME", [1, 4, 4, 3], [1, 7, 7, 2], 3, 2],
    ["SAME", [1, 4, 4, 3], [1, 8, 8, 2], 4, 2],
    ["SAME", [2, 4, 4, 3], [2, 4, 4, 2], 3, 1],
    ["SAME", [1, 4, 4, 3], [1, 8, 8, 2], 1, 2],
    ["VALID", [1, 4, 4, 3], [1, 9, 9, 2], 3, 2],
    ["VALID", [1, 4, 4, 3], [1, 10, 10, 2], 3, 2],
    ["VALID", [1, 4, 4, 3], [1, 8, 8, 2], 2, 2],
  ];
  for (const [padding, input, wanted, taps, step] of cases)
    it(`gives ${wanted.join("×")} of ${input.join("×")}: ${padding}, ${taps} taps, steps of ${step}`, async () => {
      await expectAlike({
        inputs: { x: floats(input) },
        weights: {
          wanted: { dtype: "int32", dims: [4], data: wanted },
          filter: floats([taps, taps, 2, 3]),
        },
        nodes: [
          {
            op: "Conv2DBackpropInput",
            inputs: ["wanted", "filter", "x"],
            attr: {
              strides: attr.ints([1, step, step, 1]),
              padding: attr.text(padding),
              data_format: attr.text("NHWC"),
            },
          },
        ],
      });
    });
});

describe("pooling of TensorFlow", () => {
  for (const op of ["MaxPool", "AvgPool"])
    for (const padding of ["SAME", "VALID"])
      it(`is that of ONNX: ${op}, ${padding}`, async () => {
        for (const [taps, step] of [
          [2, 2],
          [3, 2],
          [3, 1],
        ] as const)
          await expectAlike({
            inputs: { x: floats([1, 7, 8, 3]) },
            nodes: [
              {
                op,
                inputs: ["x"],
                attr: {
                  ksize: attr.ints([1, taps, taps, 1]),
                  strides: attr.ints([1, step, step, 1]),
                  padding: attr.text(padding),
                  data_format: attr.text("NHWC"),
                },
              },
            ],
          });
      });

  it("is over three axes", async () => {
    for (const op of ["MaxPool3D", "AvgPool3D"])
      await expectAlike({
        inputs: { x: floats([1, 4, 4, 6, 2]) },
        nodes: [
          {
            op,
            inputs: ["x"],
            attr: {
              ksize: attr.ints([1, 2, 2, 3, 1]),
              strides: attr.ints([1, 2, 2, 3, 1]),
              padding: attr.text("VALID"),
              data_format: attr.text("NDHWC"),
            },
          },
        ],
      });
  });
});
