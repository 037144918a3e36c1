import { describe, expect, it } from "vitest";
import {
  edit,
  attribute,
  type Attributes,
  dim,
  type Dim,
  Graph,
  newHeader,
  Tensor,
  tensorType,
} from "../ir/index.js";
import { countMacs } from "./macs.js";
import { countOperators } from "./operators.js";
import { countParameters } from "./parameters.js";

/** One node on an input and constants of given shapes, its output of a given shape. */
function one(
  op: string,
  x: readonly Dim[],
  weights: readonly number[][],
  out: readonly Dim[],
  attributes: Attributes = {},
): Graph {
  const graph = new Graph(newHeader(), () => [{ type: tensorType("float32", out) }]);
  edit(
    graph,
    "test",
    (editor) => {
      const input = editor.addInput("x", tensorType("float32", x));
      const constants = weights.map((dims, index) =>
        editor.constant(
          `w${index}`,
          Tensor.float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1))),
        ),
      );
      const domain = isOwn(op) ? "com.microsoft" : "";
      if (domain !== "") editor.setOpset(domain, 1);
      editor.addOutput(editor.add1(op, [input, ...constants], attributes, { domain }));
    },
    { interface: true },
  );
  return graph;
}

const isOwn = (op: string): boolean => /^(Q|Fused|Multi)/.test(op);

describe("countMacs", () => {
  const cases: readonly [string, Graph, number | null][] = [
    // 4 × 3 output channels and pixels × (8 / 2 × 3 × 3)
    [
      "a grouped convolution",
      one("Conv", [1, 8, 5, 5], [[4, 4, 3, 3]], [1, 4, 3, 3], { group: attribute.int(2) }),
      4 * 9 * 4 * 9,
    ],
    [
      "a transposed convolution",
      one("ConvTranspose", [1, 8, 5, 5], [[8, 4, 2, 2]], [1, 4, 10, 10]),
      200 * 16,
    ],
    ["a matrix product", one("MatMul", [2, 16, 32], [[32, 8]], [2, 16, 8]), 2 * 16 * 8 * 32],
    [
      "Gemm with A transposed",
      one("Gemm", [32, 16], [[32, 8]], [16, 8], { transA: attribute.int(1) }),
      16 * 8 * 32,
    ],
    [
      "integers, with their scales between the operands",
      one("QGemm", [4, 32], [[], [], [8, 32], [], []], [4, 8], { transB: attribute.int(1) }),
      4 * 8 * 32,
    ],
    [
      "LSTM",
      one(
        "LSTM",
        [7, 1, 10],
        [
          [1, 80, 10],
          [1, 80, 20],
        ],
        [7, 1, 1, 20],
      ),
      7 * (800 + 1600),
    ],
    [
      "a product whose operands are turned",
      one("FusedMatMul", [2, 32, 16], [[2, 8, 32]], [2, 16, 8], {
        transA: attribute.int(1),
        transB: attribute.int(1),
      }),
      2 * 16 * 8 * 32,
    ],
    [
      "an Einsum of three",
      one("Einsum", [5, 6], [[6, 7], [7]], [5], { equation: attribute.string("ij,jk,k->i") }),
      5 * 6 * 7 * 2,
    ],
    [
      "attention: scores and what they weigh",
      one(
        "MultiHeadAttention",
        [1, 4, 8],
        [
          [1, 6, 8],
          [1, 6, 12],
        ],
        [1, 4, 12],
        {
          num_heads: attribute.int(2),
        },
      ),
      4 * 6 * (8 + 12),
    ],
    ["what is done per element", one("Relu", [1, 8], [], [1, 8]), 0],
    [
      "a free batch as one",
      one("MatMul", [dim.symbol("N"), 32], [[32, 8]], [dim.symbol("N"), 8]),
      256,
    ],
    [
      "nothing where another dim is free",
      one("MatMul", [1, dim.symbol("S"), 32], [[32, 8]], [1, dim.symbol("S"), 8]),
      null,
    ],
  ];
  it.each(cases)("counts %s", (_, graph, macs) => {
    expect(countMacs(graph)).toBe(macs);
  });
});

describe("countParameters", () => {
  it("counts weights and leaves out shapes and scales", () => {
    const graph = one("Conv", [1, 8, 5, 5], [[4, 8, 3, 3], [4]], [1, 4, 3, 3]);
    edit(
      graph,
      "test",
      (editor) => {
        const q = editor.constant("q", Tensor.of("int8", [6], new Int8Array(6)));
        const scale = editor.constant("scale", Tensor.float32([], [1]));
        editor.addOutput(editor.add1("DequantizeLinear", [q, scale]));
        const x = graph.main.inputs[0] ?? null;
        editor.addOutput(
          editor.add1("Reshape", [x, editor.constant("shape", Tensor.int64([8, 25]))]),
        );
      },
      { interface: true },
    );
    expect(countParameters(graph)).toBe(4 * 8 * 9 + 4 + 6);
    expect(countOperators(graph).map(({ op, count }) => [op, count])).toEqual([
      ["Conv", 1],
      ["DequantizeLinear", 1],
      ["Reshape", 1],
    ]);
  });

  it("leaves out the scales of each tensor that is joined", () => {
    const graph = one("QLinearConcat", [], [[], [2, 3], [], [], [4, 3], [], []], [6, 3]);
    expect(countParameters(graph)).toBe(2 * 3 + 4 * 3);
  });
});
