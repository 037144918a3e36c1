import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import { countParameters } from "../analysis/index.js";
import { attribute, type Graph, printGraph, Tensor } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { runPasses } from "../pipeline/run-passes.test.support.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { fp16Weights } from "./fp16-weights.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeWeights } from "./quantize-weights.js";
import {
  agreement,
  feedsOf,
  fusedOps,
  quantized,
  run,
} from "./quantization/engine-case.test.support.js";

/** An embedding, a convolution over it and a matrix, with a table of numbers that are no weights. */
function embedded(): Graph {
  return graphOf({ ids: ["int64", 1, 16] }, (input, b) => {
    const rows = b.add("Gather", [b.weights(10, 32), input("ids")]);
    const wide = b.add(
      "Conv",
      [
        b.add("Transpose", [rows], { perm: attribute.ints([0, 2, 1]) }),
        b.weights(32, 32, 3),
        b.weights(32),
      ],
      { pads: attribute.ints([1, 1]) },
    );
    const added = b.add("Add", [wide, b.weights(1, 32, 16)]);
    return { y: b.add("MatMul", [added, b.weights(16, 64)]) };
  });
}

const ids = {
  ids: {
    type: "int64",
    dims: [1, 16],
    data: BigInt64Array.from({ length: 16 }, (_, i) => BigInt((i * 7) % 10)),
  },
} as const;

const reasons = (graph: Graph) =>
  graph.journal.flatMap(({ what, op, reason }) => (what === "left" ? [`${op}: ${reason}`] : []));

/** Every way in which few bits are grouped. */
const ways: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { symmetric: false },
  { granularity: "tensor" },
  { granularity: "block", blockSize: 16 },
  { granularity: "block", blockSize: 64, symmetric: false },
];

it("keeps weights float that any node reads whose weights are to stay so", async () => {
  const shared = graphOf({ x: ["float32", 1, 64] }, (input, b) => {
    const weights = b.weights(64, 64);
    const first = b.add("Relu", [b.add("MatMul", [input("x"), weights])]);
    return { y: b.add("MatMul", [first, weights]) };
  });
  const second = [...shared.allNodes()].findLast(({ op }) => op === "MatMul");
  const label = second === undefined ? "" : shared.nodeLabel(second);
  const graph = await quantized(quantizeWeights, shared, { minBytes: 1, keepFloat: { nodes: [label] } }); // prettier-ignore
  expect(opsOf(graph)).toEqual(opsOf(shared));
});

const storedBytes = (graph: Graph): number =>
  [...graph.allValues()].reduce((sum, { constant }) => sum + (constant?.byteLength ?? 0), 0);

describe("weights stored small", () => {
  const float = embedded();

  it("are those of einsums and of tables that are read by several indices, too", async () => {
    const graph = graphOf({ x: ["float32", 2, 3, 8], at: ["int64", 3, 1] }, (input, b) => {
      const equation = { equation: attribute.string("bef,efc->bec") };
      const product = b.add("Einsum", [input("x"), b.weights(3, 8, 64)], equation);
      return { y: product, z: b.add("GatherND", [b.weights(64, 16), input("at")]) };
    });
    const small = await quantized(quantizeWeights, graph, { minBytes: 1 });
    expect(storedBytes(small)).toBeLessThan(0.35 * storedBytes(graph));
    const feeds = { ...feedsOf(graph), at: { type: "int64", dims: [3, 1], data: BigInt64Array.of(0n, 63n, 7n) } } as const; // prettier-ignore
    expect(agreement(await run(graph, feeds), await run(small, feeds))).toBeGreaterThan(38);
  });

  it("are as many parameters in 8 bits as in floats, per tensor and per channel", async () => {
    for (const granularity of ["tensor", "channel"]) {
      const graph = await quantized(quantizeWeights, float, { granularity });
      expect(countParameters(graph)).toBe(countParameters(float));
    }
  });

  it.each([
    [quantizeWeights, {}, 38],
    [quantizeWeights, { weightRanges: "minmax" }, 38],
    [quantizeWeights, { decode: "dequantize" }, 38],
    [quantizeWeights, { granularity: "tensor" }, 38],
    [quantizeWeights, { granularity: "block", symmetric: false }, 38],
    [quantizeWeights, { bits: 4 }, 16],
    [quantizeWeights, { bits: 4, symmetric: false }, 16],
    [quantizeWeights, { bits: 4, decode: "dequantize" }, 16],
    [quantizeWeights, { bits: 4, granularity: "block", blockSize: 16 }, 18],
    [quantizeWeights, { bits: 4, granularity: "block", decode: "dequantize" }, 16],
    [quantizeWeights, { bits: 4, granularity: "block", symmetric: false }, 18],
    [quantizeWeights, { bits: 2 }, 4],
    [quantizeWeights, { bits: 2, granularity: "block", blockSize: 16 }, 4],
    [quantizeWeights, { bits: 2, granularity: "block", blockSize: 16, symmetric: false }, 6],
    [fp16Weights, {}, 65],
  ] as const)(
    "%o with %o agree with the float model on both engines",
    async (pass, options, atLeast) => {
      const graph = await quantized<unknown>(pass, float, options);
      const expected = await run(float, ids);
      expect(agreement(expected, await run(graph, ids))).toBeGreaterThan(atLeast);
      expect(agreement(expected, await run(graph, ids, wasm()))).toBeGreaterThan(atLeast);
    },
  );

  it("fold away when the engine loads them, apart from rows that are asked for", async () => {
    const kept = await fusedOps(float, "basic");
    expect(await fusedOps(await quantized(fp16Weights, float), "basic")).toEqual(kept);
    const int8 = await fusedOps(
      await quantized(quantizeWeights, float, { keepFloat: ["Gather"] }),
      "basic",
    );
    expect(int8).toEqual(kept);
    const rows = await fusedOps(await quantized(quantizeWeights, float), "basic");
    expect(rows.filter((op) => op === "Cast" || op === "Mul")).toHaveLength(3);
    for (const bits of [4, 2]) {
      for (const options of ways) {
        const keepFloat = { ops: ["Gather"] };
        const graph = await quantized(quantizeWeights, float, { bits, ...options, keepFloat });
        expect(opsOf(graph)).toContain("BitShift");
        expect(await fusedOps(graph, "basic")).toEqual(kept);
      }
    }
  });

  it.each([4, 2])(
    "in %i bits are unpacked by rows too, and only those that are asked for",
    async (bits) => {
      const graph = await quantized(quantizeWeights, float, { bits });
      const left = await fusedOps(graph, "basic");
      expect(left.filter((op) => op === "BitShift")).toHaveLength(1);
      expect(left.filter((op) => op === "Gather")).toHaveLength(2);
    },
  );

  it("take a quarter and half of the bytes", async () => {
    const bytes = async (graph: Graph): Promise<number> => (await encodeModel(graph)).proto.length;
    const before = await bytes(float);
    expect(await bytes(await quantized(quantizeWeights, float))).toBeLessThan(before * 0.45);
    expect(await bytes(await quantized(fp16Weights, float))).toBeLessThan(before * 0.62);
  });

  it("leave alone what is no weight, small, or infinite", async () => {
    const graph = await quantized(quantizeWeights, float, { minBytes: 5000 });
    expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(1);
    const infinite = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.floats([1, Infinity, 0, 1e6], [2, 2])]),
    }));
    for (const pass of [quantizeWeights, fp16Weights]) {
      const left = await quantized<unknown>(pass, infinite, { minBytes: 0 });
      expect(left.changes).toBe(infinite.changes);
      expect(left.journal).toMatchObject([{ what: "left", op: "MatMul" }]);
    }
  });

  it("say why, where none could be stored smaller", async () => {
    expect(reasons(await quantized(quantizeWeights, float, { minBytes: 100_000 }))).toEqual([
      "Gather: its weights take less than 100000 bytes",
      "Conv: its weights take less than 100000 bytes",
      "MatMul: its weights take less than 100000 bytes",
    ]);
    const stored = await quantized(quantizeWeights, float, { decode: "dequantize", minBytes: 0 });
    const again = await quantized(quantizeWeights, stored, { minBytes: 0 });
    expect(again.changes).toBe(stored.changes);
    expect(reasons(again)).toEqual([
      "Gather: its weights are quantized already",
      "Conv: its weights are quantized already",
      "MatMul: its weights are quantized already",
    ]);
    const dynamic = await quantized(quantizeDynamic, stored);
    expect(reasons(dynamic)).toContain("MatMul: its weight is quantized already");
  });

  it("as float16 move results by more than rounding, and are said to", async () => {
    const table = graphOf({ ids: ["int64", 2] }, (input, b) => ({
      y: b.add("Gather", [
        b.floats(
          Array.from({ length: 16 }, (_, at) => (at + 1) / 3),
          [2, 8],
        ),
        input("ids"),
      ]),
    }));
    const samples = [
      { ids: { type: "int64", dims: [2], data: BigInt64Array.of(0n, 1n) } },
    ] as const;
    const pass = fp16Weights.create(fp16Weights.parse({ minBytes: 0 }));
    const encode = async (graph: Graph) => onnxArtifact((await encodeModel(graph)).proto);
    const verify = { executor: cpu(), encode, samples };
    const graph = table.fork();
    await runPasses(graph, [{ name: "fp16-weights", pass }], {}, verify);
    expect(graph.changes).toBeGreaterThan(table.changes);
    const [before, after] = [await run(table, samples[0]), await run(graph, samples[0])];
    expect(agreement(before, after)).toBeLessThan(80);
  });

  it("are found in a file as it is: of an old opset, in Constant nodes", async () => {
    const weight = Tensor.float32(
      [16, 32],
      new Float32Array(512).map((_, i) => Math.sin(i)),
    );
    const old = graphOf(
      { x: ["float32", 1, 16] },
      (input, b) => {
        const constant = b.add("Constant", [], { value: attribute.tensor(weight) });
        const product = b.add("MatMul", [input("x"), constant]);
        return { y: b.add("Unsqueeze", [product], { axes: attribute.ints([0]) }) };
      },
      11,
    );
    for (const pass of [quantizeWeights, fp16Weights, quantizeDynamic]) {
      const graph = await quantized<unknown>(pass, old);
      expect(graph.opset()).toBe(21);
      const feeds = feedsOf(old);
      expect(agreement(await run(old, feeds), await run(graph, feeds))).toBeGreaterThan(25);
      expect(opsOf(graph)).toContain("Cast");
    }
  });

  it("are found inside branches, and fold there too", async () => {
    const branches = graphOf({ c: ["bool"], x: ["float32", 1, 32] }, (input, b) => {
      const branch = (name: string, phase: number) => {
        const values = new Float32Array(1024).map((_, i) => Math.sin(i * phase));
        const body = b.editor.addBody(name);
        const weight = b.editor.constant("w", Tensor.float32([32, 32], values), body);
        b.editor.addOutput(b.editor.add1("MatMul", [input("x"), weight], {}, { body }), body);
        return attribute.graph(body);
      };
      const both = { then_branch: branch("then", 1), else_branch: branch("else", 2) };
      return { y: b.add("If", [input("c")], both) };
    });
    const feeds = feedsOf(branches);
    for (const [pass, options, atLeast] of [
      [quantizeWeights, {}, 35],
      [quantizeWeights, { bits: 4 }, 16],
      [quantizeWeights, { bits: 4, granularity: "block", symmetric: false }, 16],
      [fp16Weights, {}, 60],
    ] as const) {
      const graph = await quantized<unknown>(pass, branches, options);
      expect(opsOf(graph)).toContain("Cast");
      expect(await fusedOps(graph, "basic")).toEqual(["MatMul", "MatMul", "If"]);
      for (const taken of [0, 1]) {
        const given = {
          ...feeds,
          c: { type: "bool", dims: [], data: Uint8Array.of(taken) },
        } as const;
        expect(agreement(await run(branches, given), await run(graph, given))).toBeGreaterThan(
          atLeast,
        );
      }
    }
  });
});

describe("the options of quantize-weights", () => {
  it("leave old recipes as they were", async () => {
    const old = { decode: "fold", weightRanges: "minmax", minBytes: 64, keepFloat: ["Gather"] };
    expect(quantizeWeights.parse(old)).toEqual({
      decode: "fold",
      bits: 8,
      granularity: "channel",
      blockSize: 32,
      symmetric: true,
      weightRanges: "minmax",
      minBytes: 64,
      keepFloat: { nodes: [], ops: ["Gather"] },
    });
  });

  it.each([
    [{ bits: 3 }, "bits"],
    [{ blockSize: 24 }, "blockSize"],
    [{ blockSize: 8 }, "blockSize"],
    [{ granularity: "row" }, "granularity"],
    [{ keepFloat: { node: [] } }, "keepFloat.node"],
    [{ keepFloat: "Conv" }, "keepFloat"],
  ])("refuse %o", (options, where) => {
    expect(() => quantizeWeights.parse(options)).toThrow(
      expect.objectContaining({ code: "RECIPE", where: `quantize-weights.${where}` }),
    );
  });

  it("refuse two bits for DequantizeLinear, which has no such type", () => {
    const options = quantizeWeights.parse({ bits: 2, decode: "dequantize" });
    expect(() => quantizeWeights.create(options)).toThrow(
      expect.objectContaining({ code: "RECIPE", where: "quantize-weights.decode" }),
    );
  });
});

describe("what one scale does not stand for", () => {
  it.each([
    ["a schedule", [1000]],
    ["boxes", [400, 4]],
    ["a number for each", [3000, 1]],
  ])("stays as it is: %s that is looked up", async (_, dims) => {
    const graph = graphOf({ ids: ["int64", 3] }, (input, b) => ({
      y: b.add("Gather", [b.weights(...dims), input("ids")]),
    }));
    expect((await quantized(quantizeWeights, graph)).changes).toBe(graph.changes);
  });

  it("is stored small where short rows are read as such: embeddings of few numbers", async () => {
    const graph = graphOf({ ids: ["int64", 3] }, (input, b) => ({
      y: b.add("MatMul", [b.add("Gather", [b.weights(500, 6), input("ids")]), b.weights(6, 2)]),
    }));
    const small = await quantized(quantizeWeights, graph);
    expect(small.journal.some(({ reason }) => reason.includes("500 scales"))).toBe(true);
  });

  it("stays as it is where decoding would be infinite", async () => {
    const wide = Float32Array.from({ length: 64 * 16 }, (_, at) =>
      at % 7 === 0 ? -3.4028234e38 : 0,
    );
    const graph = graphOf({ x: ["float32", 1, 64] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.editor.constant("w", Tensor.float32([64, 16], wide))]),
    }));
    for (const left of [
      await quantized(quantizeWeights, graph),
      await quantized(quantizeDynamic, graph),
    ])
      expect(reasons(left)).toEqual(["MatMul: its weights are not all finite"]);
  });

  it("stays as it is where scales would take what integers save", async () => {
    const graph = graphOf({ x: ["float32", 5, 1] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.weights(1, 2000)]),
    }));
    for (const left of [
      await quantized(quantizeWeights, graph),
      await quantized(quantizeDynamic, graph),
    ])
      expect(reasons(left)).toEqual(["MatMul: its scales would take what its integers save"]);
  });

  /** Stacked, each a tenth of the one before. */
  const stacked = (count: number, ...dims: readonly number[]): Tensor => {
    const each = dims.reduce((product, size) => product * size, 1);
    const values = Float32Array.from(
      { length: count * each },
      (_, at) => Math.sin(at * 1.7) * 10 ** -Math.floor(at / each),
    );
    return Tensor.float32([count, ...dims], values);
  };

  /** How alike the results are that each of them has, in dB, by the axis that tells which. */
  async function alike(graph: Graph, options: object, axis: number): Promise<readonly number[]> {
    const small = await quantized(quantizeWeights, graph, { ...options, minBytes: 0 });
    expect(small.changes).toBeGreaterThan(graph.changes);
    const feeds = feedsOf(graph);
    const [before, after] = [await run(graph, feeds), await run(small, feeds)];
    const dims = before.y?.dims ?? [];
    const behind = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
    return Array.from({ length: dims[axis] ?? 0 }, (_, one) => {
      let [signal, noise] = [0, 0];
      const [x, y] = [before.y?.data as Float32Array, after.y?.data as Float32Array];
      for (let at = 0; at < x.length; at += 1) {
        if (Math.floor(at / behind) % (dims[axis] ?? 1) !== one) continue;
        signal += (x[at] ?? 0) ** 2;
        noise += ((x[at] ?? 0) - (y[at] ?? 0)) ** 2;
      }
      return 10 * Math.log10(signal / noise);
    });
  }

  it.each([
    [{}, 30],
    [{ bits: 4, granularity: "block", symmetric: false }, 8],
  ])("is not shared by matrices that are stacked: %o", async (options, least) => {
    const product = (op: string, equation?: string): Graph =>
      graphOf({ x: ["float32", 4, 3, 40] }, (input, b) => ({
        y: b.add(
          op,
          [input("x"), b.editor.constant("w", stacked(4, 40, 12))],
          equation === undefined ? {} : { equation: attribute.string(equation) },
        ),
      }));
    for (const graph of [product("MatMul"), product("Einsum", "ebk,ekn->ebn")])
      for (const decibels of await alike(graph, options, 0))
        expect(decibels).toBeGreaterThan(least);
    const cells = graphOf({ x: ["float32", 5, 1, 24] }, (input, b) => ({
      y: b.add(
        "LSTM",
        [input("x"), ...[24, 8].map((from) => b.editor.constant("w", stacked(2, 32, from)))],
        { hidden_size: attribute.int(8), direction: attribute.string("bidirectional") },
      ),
    }));
    for (const decibels of await alike(cells, options, 1)) expect(decibels).toBeGreaterThan(least);
  });
});

it("prints as expected on a small network", async () => {
  const small = graphOf({ ids: ["int64", "T"] }, (input, b) => ({
    y: b.add("MatMul", [
      b.add("Gather", [
        b.floats([1, -2, 0, 0, 0, 0, 0, 0, 0.5, 4, 0, 0, 0, 0, 0, 0], [2, 8]),
        input("ids"),
      ]),
      b.floats([127, 0, -127, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [8, 2]),
    ]),
  }));
  expect(await printGraph(await quantized(quantizeWeights, small, { minBytes: 0 })))
    .toMatchInlineSnapshot(`
      "graph main opset 21 (ids: int64[T]) -> (y) {
        %1 = Gather(const int8[2, 8] #bf4d42ca11f9c9bd, ids) : int8[T, 8]
        %2 = Cast(%1) {to = 1} : float32[T, 8]
        %3 = Gather(const float16[2, 1] [0.01574707, 0.03149414], ids) : float16[T, 1]
        %4 = Cast(%3) {to = 1} : float32[T, 1]
        %5 = Mul(%2, %4) : float32[T, 8]
        %6 = Cast(const int8[8, 2] #3377bbc3fbbfd842) {to = 1} : float32[8, 2]
        %7 = Mul(%6, const float32[1, 2] [1.0, 2.0]) : float32[8, 2]
        %8 = MatMul(%5, %7) : float32[T, 2]
        return %8
      }
      "
    `);
});
