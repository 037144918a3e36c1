import { describe, expect, it } from "vitest";
import { attribute, edit, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, type Declared, graphOf } from "../../rules/rule-case.test.support.js";
import { lowerOpset } from "../lower-opset.js";
import { reopened } from "./opset-case.test.support.js";

type Build = (x: ValueId, b: Builder) => ValueId;
const { int, string } = attribute;

const matrix: Declared = ["float32", 3, 4];

const to = (opset: number) => lowerOpset.create(lowerOpset.parse({ opset }));

function single(input: Declared, build: Build) {
  return graphOf({ x: input }, (x, b) => ({ y: build(x("x"), b) }));
}

describe("what an older opset cannot say", () => {
  it.each<[string, number, RegExp, Build]>([
    ["a new operator", 13, /Trilu came with opset 14/, (x, b) => b.add("Trilu", [x])],
    [
      "computed axes",
      12,
      /its axes are computed/,
      (x, b) => b.add("ReduceSum", [x, b.add("Shape", [b.add("Shape", [x])])]),
    ],
    [
      "what is scattered",
      8,
      /Scatter of opset 9 .* it came with 9/,
      (x, b) => b.add("ScatterElements", [x, b.ints([0], [1, 1]), b.weights(1, 1)]),
    ],
    [
      "the smallest of TopK",
      10,
      /takes the smallest/,
      (x, b) => b.many("TopK", 2, [x, b.ints([1])], { largest: int(0) })[0] ?? x,
    ],
    [
      "steps",
      9,
      /every n-th element/,
      (x, b) => b.add("Slice", [x, b.ints([0]), b.ints([3]), b.ints([0]), b.ints([2])]),
    ],
    [
      "integers of 16 bits",
      20,
      /it gives int16/,
      (x, b) => b.add("QuantizeLinear", [x, b.floats([0.05])], { output_dtype: int(5) }),
    ],
    [
      "a Resize that shrinks",
      9,
      /makes its input smaller/,
      (x, b) =>
        b.add("Resize", [x, null, b.floats([0.5, 1])], {
          coordinate_transformation_mode: string("asymmetric"),
          nearest_mode: string("ceil"),
        }),
    ],
    [
      "a maximum of several shapes",
      7,
      /its operands are broadcast/,
      (x, b) => b.add("Max", [x, b.floats([1, 2, 3, 4])]),
    ],
    [
      "which places of MaxPool are read",
      7,
      /the places of its maxima are read/,
      (x, b) => {
        const rows = b.add("Reshape", [x, b.ints([1, 3, 4])]);
        const pooled = b.many("MaxPool", 2, [rows], { kernel_shape: attribute.ints([2]) });
        return b.add("Cast", [pooled[1] ?? x], { to: int(1) });
      },
    ],
    [
      "a GridSample of volumes",
      19,
      /it samples volumes/,
      (x, b) => {
        const volume = b.add("Reshape", [x, b.ints([1, 1, 1, 3, 4])]);
        return b.add("GridSample", [volume, b.weights(1, 1, 2, 2, 3)]);
      },
    ],
    [
      "bytes from bfloat16",
      18,
      /QuantizeLinear takes bfloat16 from opset 19 on/,
      (x, b) => {
        const scale = Tensor.of("bfloat16", [], Uint16Array.of(0x3f80));
        const half = b.add("Cast", [x], { to: int(16) });
        return b.add("QuantizeLinear", [half, b.editor.constant("scale", scale)]);
      },
    ],
  ])("%s (opset %i)", async (_, opset, message, build) => {
    const graph = await reopened(single(matrix, build));
    expect(() => to(opset).run(graph, {})).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        message: expect.stringMatching(message),
        hint: `Ask for opset ${opset + 1} or later.`,
      }),
    );
  });

  it("functions of the model, which no opset but their own can read", async () => {
    const graph = graphOf({ x: matrix }, (x, b) => ({
      y: b.editor.add1("Twice", [x("x")], {}, { domain: "local" }),
    }));
    edit(graph, "test", (editor) =>
      editor.setHeader({ functions: new Map([["local::Twice::", {}]]) }),
    );
    expect(() => to(17).run(graph, {})).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        message: expect.stringMatching(/local\.Twice is a function of the model/),
      }),
    );
    await to(21).run(graph, {});
    expect(graph.header.functions.size).toBe(1);
  });

  it("axes counted from the end, which are said from the start", async () => {
    const graph = single(matrix, (x, b) =>
      b.add("Slice", [x, b.ints([1]), b.ints([3]), b.ints([-1])]),
    );
    await to(10).run(graph, {});
    const [slice] = graph.order();
    expect(graph.constant(slice?.inputs[3])?.numbers()).toEqual([1]);
  });

  it("refuses opsets that do not exist, with the field", () => {
    for (const opset of [6, 22, 17.5, "17"]) {
      expect(() => lowerOpset.parse({ opset })).toThrow(
        expect.objectContaining({ code: "RECIPE", where: "lower-opset.opset" }),
      );
    }
    expect(() => lowerOpset.parse({ opst: 17 })).toThrow(
      expect.objectContaining({ where: "lower-opset.opst" }),
    );
  });
});
