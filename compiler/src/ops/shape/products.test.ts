import { type Dtype, elementCount, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, test } from "vitest";
import {
  attribute,
  type Attributes,
  type Dim,
  dim,
  edit,
  Graph,
  newHeader,
  tensorType,
  typeText,
} from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { inferNode } from "./infer.js";

const [n, s] = [dim.symbol("N"), dim.symbol("S")];
/** What an engine is asked with. */
const sizes = new Map<string, Dim>([
  ["N", 2],
  ["S", 5],
]);

/** A product of inputs (null where one is left out), and the shape of its result; "*" where it is not known. */
interface Case {
  readonly of: string;
  readonly op: string;
  readonly domain?: string;
  readonly shapes: readonly (readonly Dim[] | null)[];
  readonly attributes?: Attributes;
  readonly gives: string;
  /** Their dtypes where not all are float32. */
  readonly dtypes?: readonly Dtype[];
  /** The result's dtype where it is not float32. */
  readonly type?: Dtype;
}

function graphOf(
  { op, domain = "", shapes, attributes = {}, dtypes = [] }: Case,
  shapeOf: (shape: readonly Dim[]) => readonly Dim[],
): Graph {
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      if (domain !== "") editor.setOpset(domain, 1);
      const ids = shapes.map((shape, index) =>
        shape === null
          ? null
          : editor.addInput(`x${index}`, tensorType(dtypes[index] ?? "float32", shapeOf(shape))),
      );
      editor.addOutput(editor.add1(op, ids, attributes, { domain, outputs: ["y"] }));
    },
    { interface: true },
  );
  return graph;
}

function resultOf(graph: Graph): string {
  const [y] = graph.main.outputs;
  return y === undefined ? "" : typeText(graph.value(y).type);
}

function einsum(equation: string, gives: string, ...shapes: readonly (readonly Dim[])[]): Case {
  const attributes = { equation: attribute.string(equation) };
  return { of: equation, op: "Einsum", shapes, attributes, gives };
}

const domain = "com.microsoft";

const [q, f] = ["int8", "float32"] as const;
const window = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) };

/** On integers, each with its scale and zero point. */
function onIntegers(one: Omit<Case, "domain" | "of">): Case {
  return { of: "integers", domain, type: q, ...one };
}

const quantized: readonly Case[] = [
  onIntegers({
    op: "QGemm",
    shapes: [[4, s], [], [], [6, 4], [], [], null, [], []],
    dtypes: [q, f, q, q, f, q, "int32", f, q],
    attributes: { transA: attribute.int(1), transB: attribute.int(1) },
    gives: "[S, 6]",
  }),
  onIntegers({
    op: "QGemm",
    shapes: [[n, 4], [], [], [4, 6], [], []],
    dtypes: [q, f, q, q, f, q],
    type: f,
    gives: "[N, 6]",
  }),
  onIntegers({
    op: "QLinearAdd",
    shapes: [[n, 1, s], [], [], [3, 1], [], [], [], []],
    dtypes: [q, f, q, q, f, q, f, q],
    gives: "[N, 3, S]",
  }),
  onIntegers({
    op: "QLinearConcat",
    shapes: [[], [], [n, s, 3], [], [], [n, s, 2], [], []],
    dtypes: [f, q, q, f, q, q, f, q],
    attributes: { axis: attribute.int(-1) },
    gives: "[N, S, 5]",
  }),
  onIntegers({
    op: "QLinearGlobalAveragePool",
    shapes: [[n, 3, 8, s], [], [], [], []],
    dtypes: [q, f, q, f, q],
    gives: "[N, 3, 1, 1]",
  }),
  onIntegers({
    op: "QLinearAveragePool",
    shapes: [[n, 3, 8, s], [], [], [], []],
    dtypes: [q, f, q, f, q],
    attributes: window,
    gives: "[N, 3, 4, floordiv(S, 2)]",
  }),
  onIntegers({
    op: "QLinearSoftmax",
    shapes: [[n, s], [], [], [], []],
    dtypes: [q, f, q, f, q],
    attributes: { opset: attribute.int(13) },
    gives: "[N, S]",
  }),
];

const cases: readonly Case[] = [
  ...quantized,
  einsum("ij,jk->ik", "[N, S]", [n, 4], [4, s]),
  einsum("ij, jk", "[N, 6]", [n, 4], [4, 6]),
  einsum("bnqd,bnkd->bnqk", "[N, 3, S, S]", [n, 3, s, 8], [n, 3, s, 8]),
  einsum("...ij,...jk->...ik", "[N, 7, 3, 5]", [n, 1, 3, 4], [n, 7, 4, 5]),
  einsum("...ii->...i", "[N, 3]", [n, 3, 3]),
  einsum("i,i", "[]", [n], [n]),
  einsum("ba", "[3, N]", [n, 3]),
  einsum("ij->ji", "[4, 1]", [1, 4]),
  einsum("ij,ij->ij", "[N, 4]", [1, 4], [n, 4]),
  {
    of: "a convolution",
    op: "FusedConv",
    domain,
    shapes: [
      [n, 3, 8, s],
      [5, 3, 3, 3],
    ],
    attributes: { activation: attribute.string("Relu") },
    gives: "[N, 5, 6, S - 2]",
  },
  {
    of: "a left operand that is transposed",
    op: "FusedMatMul",
    domain,
    shapes: [
      [n, 4, s],
      [n, 4, 6],
    ],
    attributes: { transA: attribute.int(1) },
    gives: "[N, S, 6]",
  },
  {
    of: "B transposed",
    op: "FusedGemm",
    domain,
    shapes: [
      [n, 4],
      [6, 4],
    ],
    attributes: { transB: attribute.int(1), activation: attribute.string("Relu") },
    gives: "[N, 6]",
  },
  {
    of: "weights of int8",
    op: "DynamicQuantizeMatMul",
    domain,
    shapes: [[n, s, 4], [4, 6], []],
    dtypes: ["float32", "int8", "float32"],
    gives: "[N, S, 6]",
  },
  {
    of: "queries, keys and values of one width",
    op: "Attention",
    domain,
    shapes: [[n, s, 8], [8, 24], [24]],
    attributes: { num_heads: attribute.int(2) },
    gives: "[N, S, 8]",
  },
  {
    of: "values of a width of their own",
    op: "Attention",
    domain,
    shapes: [[n, s, 8], [8, 20], [20]],
    attributes: { num_heads: attribute.int(2), qkv_hidden_sizes: attribute.ints([8, 8, 4]) },
    gives: "[N, S, 4]",
  },
  {
    of: "heads side by side",
    op: "MultiHeadAttention",
    domain,
    shapes: [
      [n, s, 8],
      [n, 7, 8],
      [n, 7, 6],
    ],
    attributes: { num_heads: attribute.int(2) },
    gives: "[N, S, 6]",
  },
  {
    of: "heads on an axis of their own",
    op: "MultiHeadAttention",
    domain,
    shapes: [
      [n, s, 8],
      [n, 2, 7, 4],
      [n, 2, 7, 4],
    ],
    attributes: { num_heads: attribute.int(2) },
    gives: "[N, S, 8]",
  },
];

/** What this build of the engine does not run, or what the shape alone does not say. */
const inferred: readonly Case[] = [
  onIntegers({
    op: "QLinearConv",
    shapes: [[n, 3, 8, s], [], [], [5, 3, 3, 3], [], [], [], []],
    dtypes: [q, f, q, q, f, q, f, q],
    gives: "[N, 5, 6, S - 2]",
  }),
  ...["QLinearConv", "QLinearAveragePool"].map((op) =>
    onIntegers({
      op,
      shapes: [[n, 8, s, 3], [], [], [5, 3, 3, 3], [], [], [], []],
      dtypes: [q, f, q, q, f, q, f, q],
      attributes: { ...window, channels_last: attribute.int(1) },
      gives: "[*]",
    }),
  ),
  onIntegers({
    op: "QLinearWhere",
    shapes: [[n, 1], [s], [], [], [1, s], [], [], [], []],
    dtypes: ["bool", q, f, q, q, f, q, f, q],
    gives: "[N, S]",
  }),
  einsum("ijk->ijk", "[*]", [n, 3]),
  einsum("ij->ik", "[*]", [n, 3]),
  {
    of: "batches that are moved",
    op: "FusedMatMul",
    domain,
    shapes: [
      [n, 4, s],
      [4, s, 6],
    ],
    attributes: { transBatchA: attribute.int(1) },
    gives: "[4, N, 6]",
  },
  {
    of: "all of them packed",
    op: "MultiHeadAttention",
    domain,
    shapes: [[n, s, 2, 3, 4]],
    gives: "[N, S, 8]",
  },
  {
    of: "shared keys",
    op: "GroupQueryAttention",
    domain,
    shapes: [
      [n, s, 8],
      [n, s, 4],
      [n, s, 4],
    ],
    gives: "[N, S, 8]",
  },
  {
    of: "all of them side by side",
    op: "GroupQueryAttention",
    domain,
    shapes: [[n, s, 16], null, null],
    attributes: { num_heads: attribute.int(2), kv_num_heads: attribute.int(1) },
    gives: "[N, S, 8]",
  },
  {
    of: "heads on an axis of their own",
    op: "Attention",
    shapes: [
      [n, 2, s, 8],
      [n, 2, 7, 8],
      [n, 2, 7, 6],
    ],
    gives: "[N, 2, S, 6]",
  },
  {
    of: "heads side by side",
    op: "Attention",
    shapes: [
      [n, s, 8],
      [n, 7, 4],
      [n, 7, 6],
    ],
    attributes: { q_num_heads: attribute.int(4), kv_num_heads: attribute.int(2) },
    gives: "[N, S, 12]",
  },
  {
    of: "heads that are not counted",
    op: "Attention",
    shapes: [
      [n, s, 8],
      [n, 7, 4],
      [n, 7, 6],
    ],
    gives: "[*]",
  },
];

describe("products of other forms", () => {
  test.each([...cases, ...inferred])("$op of $of", (one) => {
    expect(resultOf(graphOf(one, (shape) => shape))).toBe(`${one.type ?? "float32"}${one.gives}`);
  });

  test.each(cases)("$op of $of, on the engine", async (one) => {
    const graph = graphOf(one, (shape) => shape.map((size) => dim.substitute(size, sizes)));
    const feeds: Tensors = Object.fromEntries(
      graph.main.inputs.map((id) => {
        const { name, type } = graph.value(id);
        const dims = type.kind === "tensor" ? (type.shape ?? []).map(Number) : [];
        const isInteger = type.kind === "tensor" && type.dtype === "int8";
        const data = Float32Array.from({ length: elementCount(dims) }, (_, i) => (i % 7) + 1);
        return [
          name,
          isInteger
            ? { type: "int8", dims, data: Int8Array.from(data) }
            : { type: "float32", dims, data },
        ];
      }),
    );
    const { proto } = await encodeModel(graph);
    const session = await cpu().load(onnxArtifact(proto));
    try {
      const { y } = await session.run(feeds);
      expect(`${y?.type}[${y?.dims.join(", ")}]`).toBe(resultOf(graph));
    } finally {
      await session.dispose();
    }
  });
});
