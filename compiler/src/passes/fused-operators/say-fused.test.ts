import * as fc from "fast-check";
import { expect, it, test } from "vitest";
import { attribute, type Attributes, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { inferAll } from "../../ops/index.js";
import {
  type Builder,
  type Declared,
  graphOf,
  madeUp,
  opsOf,
} from "../../rules/rule-case.test.support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { relativeError } from "../../wasm/run-model.test.support.js";
import { reopened, runBytes } from "../opset/opset-case.test.support.js";
import { encodeModel } from "../../onnx/index.js";
import { fusedOps } from "../quantization/engine-case.test.support.js";
import { bringToNormalForm } from "../normal-form.js";
import { sayAttention, sayFused } from "./say-fused.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

type Build = (
  b: Builder,
  own: (
    op: string,
    inputs: readonly (ValueId | null | undefined)[],
    attributes?: Attributes,
    outputs?: readonly (string | null)[],
  ) => readonly ValueId[],
  input: (name: string) => ValueId,
) => Readonly<Record<string, ValueId | undefined>>;

/** A graph that has operators of onnxruntime's own. */
function fusedGraph(inputs: Readonly<Record<string, Declared>>, build: Build): Graph {
  return graphOf(inputs, (input, b) => {
    b.editor.setOpset("com.microsoft", 1);
    const outputs = build(
      b,
      (op, given, attributes = {}, names) => {
        const options = { domain: "com.microsoft", ...(names !== undefined && { outputs: names }) };
        return b.editor.add(
          op,
          given.map((id) => id ?? null),
          attributes,
          options,
        );
      },
      input,
    );
    const known = Object.entries(outputs).flatMap(([name, id]) =>
      id === undefined ? [] : [[name, id] as const],
    );
    return Object.fromEntries(known);
  });
}

/** How far what is said is from what onnxruntime's kernels give; nothing of their domain is left. */
async function difference(
  graph: Graph,
  sizes: Readonly<Record<string, number>> = {},
): Promise<number> {
  const feeds = madeUp(graph, sizes);
  const before = await runBytes((await encodeModel(graph)).proto, feeds);
  const said = await reopened(graph);
  inferAll(said);
  expect([...sayFused(said).values(), ...sayAttention(said).values()]).toEqual([]);
  expect([...said.allNodes()].filter(({ domain }) => domain !== "")).toEqual([]);
  expect(opsOf(said)).not.toContain("SimplifiedLayerNormalization");
  return relativeError(before, await runBytes((await encodeModel(said)).proto, feeds));
}

const integers = (b: Builder, values: readonly number[], dims: readonly number[]): ValueId =>
  b.editor.constant("mask", Tensor.of("int32", dims, Int32Array.from(values)));

test("activations after products and convolutions, and what is added to these", async () => {
  const activations: readonly (readonly [string, readonly number[]])[] = [
    ["", []],
    ["Relu", []],
    ["Sigmoid", []],
    ["Tanh", []],
    ["LeakyRelu", [0.3]],
    ["HardSigmoid", [0.3, 0.6]],
    ["Clip", [-0.2, 0.7]],
  ];
  for (const [activation, numbers] of activations)
    for (const added of [false, true]) {
      const graph = fusedGraph(
        { x: ["float32", 2, 4, 5, 6], z: ["float32", 2, 3, 3, 6] },
        (b, own, input) => {
          const inputs = [
            input("x"),
            b.weights(3, 4, 3, 3),
            added ? b.weights(3) : null,
            added ? input("z") : null,
          ];
          const attributes = {
            kernel_shape: attribute.ints([3, 3]),
            pads: attribute.ints([0, 1, 0, 1]),
            ...(activation !== "" && { activation: attribute.string(activation) }),
            ...(numbers.length > 0 && { activation_params: attribute.floats(numbers) }),
          };
          return { y: own("FusedConv", inputs, attributes)[0], also: input("z") };
        },
      );
      expect(await difference(graph), activation).toBeLessThan(1e-6);
    }
});

test("activations after a product and a sum, with numbers by name", async () => {
  const activations: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ["Relu", {}],
    ["Softsign", {}],
    ["Softplus", {}],
    ["Elu", { alpha: 0.5 }],
    ["Selu", { alpha: 1.5, gamma: 1.2 }],
    ["HardSigmoid", { alpha: 0.3, beta: 0.6 }],
    ["LeakyRelu", { alpha: 0.2 }],
    ["ThresholdedRelu", { alpha: 0.1 }],
  ];
  for (const [activation, numbers] of activations) {
    const graph = fusedGraph({ x: ["float32", 5, 4] }, (b, own, input) => {
      const named = Object.entries(numbers).map(([name, value]) => [
        `activation_${name}`,
        attribute.float(value),
      ]);
      const attributes = {
        alpha: attribute.float(0.5),
        transB: attribute.int(1),
        activation: attribute.string(activation),
        ...Object.fromEntries(named),
      };
      return { y: own("FusedGemm", [input("x"), b.weights(3, 4), b.weights(3)], attributes)[0] };
    });
    expect(await difference(graph), activation).toBeLessThan(1e-6);
  }
});

it("stays where an activation is none that is known", () => {
  const graph = fusedGraph({ x: ["float32", 5, 4] }, (b, own, input) => ({
    y: own("FusedGemm", [input("x"), b.weights(4, 3)], { activation: attribute.string("Own") })[0],
  }));
  expect([...sayFused(graph).values()]).toEqual(["its activation is not known"]);
  expect(opsOf(graph)).toEqual(["FusedGemm"]);
});

test("products of matrices that are turned", async () => {
  const problem = fc.record({
    batch: fc.array(size(1, 3), { minLength: 0, maxLength: 2 }),
    inner: fc.tuple(size(1, 4), size(1, 4), size(1, 4)),
    swaps: fc.tuple(fc.boolean(), fc.boolean()),
    moves: fc.tuple(fc.boolean(), fc.boolean()),
    alpha: fc.constantFrom(1, 0.25),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, inner: [m, k, n], swaps, moves, alpha }) => {
      const dims = (rows: number, columns: number, at: 0 | 1): readonly number[] => {
        const matrix = swaps[at] ? [columns, rows] : [rows, columns];
        const moved = moves[at] && batch.length > 0;
        return moved ? [matrix[0] ?? 1, ...batch, matrix[1] ?? 1] : [...batch, ...matrix];
      };
      const graph = fusedGraph(
        { a: ["float32", ...dims(m, k, 0)], b: ["float32", ...dims(k, n, 1)] },
        (_, own, input) => {
          const attributes = {
            alpha: attribute.float(alpha),
            transA: attribute.int(Number(swaps[0])),
            transB: attribute.int(Number(swaps[1])),
            ...(batch.length > 0 && {
              transBatchA: attribute.int(Number(moves[0])),
              transBatchB: attribute.int(Number(moves[1])),
            }),
          };
          return { y: own("FusedMatMul", [input("a"), input("b")], attributes)[0] };
        },
      );
      expect(await difference(graph)).toBeLessThan(1e-6);
    }),
    { numRuns: cases(60) },
  );
});

test("units of Gauss, with a bias and without", async () => {
  const graph = fusedGraph({ x: ["float32", 2, 3, 8] }, (b, own, input) => ({
    one: own("BiasGelu", [input("x"), b.weights(8)])[0],
    two: own("FastGelu", [input("x"), b.weights(8)])[0],
    three: own("FastGelu", [input("x")])[0],
    four: own("Gelu", [input("x")])[0],
    five: own("QuickGelu", [input("x")], { alpha: attribute.float(1.5) })[0],
  }));
  expect(await difference(graph)).toBeLessThan(1e-6);
});

test("normalizations of a sum, which is a result as well", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 3), size(1, 4), size(1, 8)),
    shared: fc.constantFrom("no", "batch", "rank"),
    shift: fc.boolean(),
    bias: fc.boolean(),
    epsilon: maybe(fc.constant(0.01)),
    sum: fc.boolean(),
    op: fc.constantFrom("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, shared, op, shift, bias, epsilon, sum }) => {
      const [batch, length, width] = dims;
      const skip =
        shared === "no" ? dims : shared === "batch" ? [1, length, width] : [length, width];
      const graph = fusedGraph(
        { x: ["float32", batch, length, width], s: ["float32", ...skip] },
        (b, own, input) => {
          const [gamma, own3, own4] = [b.weights(width), b.weights(width), b.weights(width)];
          const rest =
            op === "SkipLayerNormalization"
              ? [shift ? own3 : null, bias ? own4 : null]
              : [bias ? own4 : null];
          const attributes = epsilon === undefined ? {} : { epsilon: attribute.float(epsilon) };
          const names = sum ? ["y", null, null, "z"] : ["y"];
          const [y, z] = own(op, [input("x"), input("s"), gamma, ...rest], attributes, names);
          return { y, z };
        },
      );
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(60) },
  );
});

test("a root mean square of 1, which onnxruntime has in ai.onnx", async () => {
  const graph = graphOf({ x: ["float32", 2, 3, 8] }, (input, b) => ({
    y: b.add("SimplifiedLayerNormalization", [input("x"), b.weights(8)], {
      axis: attribute.int(-1),
      epsilon: attribute.float(0.001),
    }),
  }));
  expect(await difference(graph)).toBeLessThan(1e-6);
});

test("embeddings of tokens, places and segments", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 3), size(1, 5)),
    free: fc.boolean(),
    segments: fc.boolean(),
    places: fc.boolean(),
    masked: fc.boolean(),
    sum: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ sizes: [batch, length], free, ...with_ }) => {
      const declared: Declared = free ? ["int32", "n", "s"] : ["int32", batch, length];
      const graph = fusedGraph({ tokens: declared }, (b, own, input) => {
        const tokens = b.add("Abs", [input("tokens")]);
        const segment = b.add("Min", [tokens, integers(b, [1], [])]);
        const masked = b.add("Min", [tokens, integers(b, [1], [])]);
        const names = ["y", with_.masked ? "count" : "none", with_.sum ? "sum" : null];
        const inputs = [
          tokens,
          with_.segments ? segment : null,
          b.weights(9, 8),
          b.weights(12, 8),
          with_.segments ? b.weights(2, 8) : null,
          b.weights(8),
          b.weights(8),
          with_.masked ? masked : null,
          with_.places ? tokens : null,
        ];
        const [y, count, sum] = own("EmbedLayerNormalization", inputs, {}, names);
        return { y, ...(with_.masked && { count }), ...(with_.sum && { sum }) };
      });
      expect(await difference(graph, { n: batch, s: length })).toBeLessThan(1e-5);
    }),
    { numRuns: cases(45) },
  );
});

test("rotations by place", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 2), size(1, 4), size(1, 3)),
    byHead: fc.boolean(),
    named: fc.boolean(),
    interleaved: fc.boolean(),
    first: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      problem,
      async ({ sizes: [batch, length, heads], byHead, named, interleaved, first }) => {
        const dims = byHead ? [batch, heads, length, 4] : [batch, length, heads * 4];
        const graph = fusedGraph({ x: ["float32", ...dims] }, (b, own, input) => {
          const places = first
            ? b.ints([2])
            : b.ints(
                Array.from({ length: batch * length }, (_, at) => (at * 5) % 7),
                [batch, length],
              );
          const attributes = {
            interleaved: attribute.int(Number(interleaved)),
            ...(named && { num_heads: attribute.int(heads) }),
          };
          return {
            y: own(
              "RotaryEmbedding",
              [input("x"), places, b.weights(9, 2), b.weights(9, 2)],
              attributes,
            )[0],
          };
        });
        expect(await difference(graph)).toBeLessThan(1e-6);
      },
    ),
    { numRuns: cases(45) },
  );
});

const masks = ["none", "keys", "queries", "ends", "ranges"] as const;

/**
 * A mask in which no query is left without a key, also where it sees none that come after it: what is behind a sum with
 * −10,000 everywhere is rounded away, by another order of sums to something else.
 */
function maskOf(
  b: Builder,
  kind: (typeof masks)[number],
  [batch, length, keys]: readonly [number, number, number],
  causal: boolean,
): ValueId | null {
  const shown = (count: number): readonly number[] =>
    Array.from({ length: count }, (_, at) => (at % keys === 0 || (at * 7) % 3 > 0 ? 1 : 0));
  const ends = Array.from({ length: batch }, (_, sample) => 1 + ((sample + 1) % keys));
  switch (kind) {
    case "none":
      return null;
    case "keys":
      return integers(b, shown(batch * keys), [batch, keys]);
    case "queries":
      return integers(b, shown(batch * length * keys), [batch, length, keys]);
    case "ends":
      return integers(b, ends, [batch]);
    case "ranges":
      return integers(b, [...ends, ...ends.map((end) => (causal ? 0 : end - 1))], [2 * batch]);
    default:
      return kind satisfies never;
  }
}

test("attention of a layer's own projections", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 2), size(1, 4), size(1, 3)),
    past: fc.constantFrom(0, 0, 2),
    widths: fc.boolean(),
    mask: fc.constantFrom(...masks),
    causal: fc.boolean(),
    bias: fc.boolean(),
    added: fc.boolean(),
    scale: maybe(fc.constant(0.3)),
    filter: maybe(fc.constant(-3.4028234663852886e38)),
  });
  await fc.assert(
    fc.asyncProperty(
      problem,
      async ({ sizes: [batch, length, heads], past, mask, causal, ...own_ }) => {
        const isWide = own_.widths && past === 0;
        const [width, own] = [heads * 4, isWide ? heads * 6 : heads * 4];
        const total = 2 * width + own;
        const keys = length + past;
        const inputs: Record<string, Declared> = { x: ["float32", batch, length, 5] };
        if (past > 0) inputs.past = ["float32", 2, batch, heads, past, 4];
        const graph = fusedGraph(inputs, (b, add, input) => {
          const attributes = {
            num_heads: attribute.int(heads),
            unidirectional: attribute.int(Number(causal)),
            ...(isWide && { qkv_hidden_sizes: attribute.ints([width, width, own]) }),
            ...(own_.scale !== undefined && { scale: attribute.float(own_.scale) }),
            ...(own_.filter !== undefined && { mask_filter_value: attribute.float(own_.filter) }),
          };
          const operands = [
            input("x"),
            b.weights(5, total),
            own_.bias ? b.weights(total) : b.floats(Array.from({ length: total }, () => 0)),
            maskOf(b, mask, [batch, length, keys], causal),
            past > 0 ? input("past") : null,
            own_.added && past === 0 ? b.weights(1, heads, length, keys) : null,
          ];
          const names = past > 0 ? ["y", "present"] : ["y"];
          const [y, present] = add("Attention", operands, attributes, names);
          return { y, present };
        });
        expect(await difference(graph)).toBeLessThan(1e-5);
      },
    ),
    { numRuns: cases(120) },
  );
});

test("attention of what was projected before, however it lies", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 2), size(1, 4), size(1, 3)),
    looked: size(1, 4),
    kind: fc.constantFrom("apart", "apart", "by head"),
    past: fc.constantFrom(0, 0, 2),
    mask: fc.constantFrom("none", "keys", "queries"),
    causal: fc.boolean(),
    bias: fc.boolean(),
    added: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      problem,
      async ({ sizes: [batch, length, heads], looked, kind, causal, ...own_ }) => {
        const past = kind === "apart" && !causal ? own_.past : 0;
        const now = causal || past > 0 ? length : looked;
        const [width, keys] = [heads * 4, now + past];
        const mask = past > 0 ? "none" : own_.mask;
        const shapes: Readonly<Record<typeof kind, readonly (readonly number[])[]>> = {
          apart: [
            [batch, length, width],
            [batch, now, width],
            [batch, now, width],
          ],
          "by head": [
            [batch, length, width],
            [batch, heads, now, 4],
            [batch, heads, now, 4],
          ],
        };
        const given = shapes[kind].map((dims, at) => [`x${at}`, ["float32", ...dims]] as const);
        const before =
          past > 0
            ? ["keys", "values"].map((name) => [name, ["float32", batch, heads, past, 4]] as const)
            : [];
        const graph = fusedGraph(Object.fromEntries([...given, ...before]), (b, add, input) => {
          const at = (index: number): ValueId | null =>
            index < given.length ? input(`x${index}`) : null;
          const operands = [
            at(0),
            at(1),
            at(2),
            own_.bias && kind === "apart" ? b.weights(3 * width) : null,
            maskOf(b, mask, [batch, length, keys], causal),
            own_.added ? b.weights(1, heads, length, keys) : null,
            ...(past > 0 ? [input("keys"), input("values")] : []),
          ];
          const attributes = {
            num_heads: attribute.int(heads),
            unidirectional: attribute.int(Number(causal)),
          };
          const names = past > 0 ? ["y", "presentKeys", "presentValues"] : ["y"];
          const [y, presentKeys, presentValues] = add(
            "MultiHeadAttention",
            operands,
            attributes,
            names,
          );
          return { y, presentKeys, presentValues };
        });
        expect(await difference(graph)).toBeLessThan(1e-5);
      },
    ),
    { numRuns: cases(120) },
  );
});

it("leaves attention to engines until a pass has to know it", async () => {
  const graph = fusedGraph({ x: ["float32", 1, 3, 8] }, (b, own, input) => ({
    y: own("Attention", [input("x"), b.weights(8, 24), b.weights(24)], {
      num_heads: attribute.int(2),
    })[0],
  }));
  sayFused(graph);
  expect(opsOf(graph)).toEqual(["Attention"]);
  await bringToNormalForm(graph);
  expect(opsOf(graph)).toContain("Softmax");
  expect([...graph.header.opsets.keys()]).toEqual([""]);
});

test("what an engine fuses again as it loads what is said", async () => {
  const graph = fusedGraph(
    { x: ["float32", 2, 3, 8], i: ["float32", 1, 8, 5, 5] },
    (b, own, input) => {
      const [x] = own("SkipLayerNormalization", [
        input("x"),
        b.add("Tanh", [input("x")]),
        b.weights(8),
        b.weights(8),
      ]);
      const [y] = own("SkipSimplifiedLayerNormalization", [
        x,
        b.add("Sigmoid", [x ?? null]),
        b.weights(8),
      ]);
      const product = b.add("MatMul", [y ?? null, b.weights(8, 8)]);
      const [z] = own("BiasGelu", [product, b.weights(8)]);
      const [a] = own("QuickGelu", [b.add("MatMul", [z ?? null, b.weights(8, 8)])]);
      const [c] = own("FusedMatMul", [a, b.add("Exp", [a ?? null])], {
        alpha: attribute.float(0.5),
        transB: attribute.int(1),
      });
      const [d] = own("FusedConv", [input("i"), b.weights(4, 8, 1, 1), b.weights(4)], {
        activation: attribute.string("Relu"),
      });
      const flat = b.add("Reshape", [c ?? null, b.ints([6, 3])]);
      const [e] = own("FusedGemm", [flat, b.weights(3, 4), b.weights(4)], {
        activation: attribute.string("Sigmoid"),
      });
      return { d, e };
    },
  );
  sayFused(graph);
  expect([...graph.allNodes()].map(({ domain }) => domain)).not.toContain("com.microsoft");
  const fused = await fusedOps(graph);
  for (const op of [
    "FusedConv",
    "FusedGemm",
    "FusedMatMul",
    "QuickGelu",
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
  ])
    expect(fused).toContain(op);
});
