import { describe, expect, it } from "vitest";
import { attribute, type Graph, printGraph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeStatic } from "./quantize-static.js";
import { MeasuredActivations, together } from "../calibrate/measured-activations.js";
import type { Wanted } from "../pipeline/activations.js";
import {
  agreement,
  calibrationOn,
  enginesFor,
  feedsOf,
  fusedOps,
  quantized,
  run,
} from "./quantization/engine-case.test.support.js";

const same = { pads: attribute.ints([1, 1, 1, 1]) };

function clip6(b: Builder, x: ValueId): ValueId {
  return b.add("Clip", [x, b.floats([0]), b.floats([6])]);
}

/** A full, a depthwise and a pointwise convolution, pooling, and a Gemm: what mobile networks are made of. */
function mobileNetwork(): Graph {
  return graphOf({ x: ["float32", "N", 3, 8, "W"] }, (input, b) => {
    const full = b.add("Relu", [
      b.add("Conv", [input("x"), b.weights(8, 3, 3, 3), b.weights(8)], same),
    ]);
    const deep = clip6(
      b,
      b.add("Conv", [full, b.weights(8, 1, 3, 3), b.weights(8)], {
        ...same,
        group: attribute.int(8),
      }),
    );
    const pooled = b.add("MaxPool", [deep], {
      kernel_shape: attribute.ints([2, 2]),
      strides: attribute.ints([2, 2]),
    });
    const point = b.add("Relu", [b.add("Conv", [pooled, b.weights(6, 8, 1, 1)])]);
    const flat = b.add("Flatten", [b.add("GlobalAveragePool", [point])]);
    return {
      y: b.add("Gemm", [flat, b.weights(5, 6), b.weights(5)], { transB: attribute.int(1) }),
    };
  });
}

/** The biases as they are stored, in the accumulator's steps. */
function biasesOf(graph: Graph): readonly (readonly number[])[] {
  return [...graph.main.initializers].flatMap((id) => {
    const tensor = graph.constant(id);
    return tensor?.dtype === "int32" ? [tensor.numbers() ?? []] : [];
  });
}

const widths = [
  { N: 1, W: 8 },
  { N: 2, W: 12 },
  { N: 1, W: 10 },
];

describe("quantize-static", () => {
  const float = mobileNetwork();
  const calibration = calibrationOn(float, widths);

  it("writes pairs that the CPU engine fuses into integer kernels alone", async () => {
    const graph = await quantized(quantizeStatic, float, {}, calibration);
    const ops = await fusedOps(graph);
    expect(ops.filter((op) => op === "QLinearConv")).toHaveLength(3);
    expect(ops).toContain("QGemm");
    for (const op of ["Conv", "Gemm", "Relu", "Clip"]) expect(ops).not.toContain(op);
  });

  it.each([
    [{}, 25],
    [{ reduceRange: false }, 30],
    [{ ranges: "mse", weightRanges: "mse" }, 25],
    [{ granularity: "tensor" }, 20],
    [{ ops: "all", reduceRange: false }, 20],
    [{ ops: "all", granularity: "tensor", reduceRange: false }, 18],
    [{ convolutions: ["full"] }, 25],
    [{ activationBits: 7, reduceRange: false }, 22],
    [{ activationBits: 7, between: "integers", ranges: "mse" }, 20],
    [{ bits: 4, weightRanges: "mse" }, 12],
    [{ bits: 4, granularity: "tensor", ops: "all" }, 8],
  ])(
    "with %o agrees with the float model on every engine that it is for",
    async (options, atLeast) => {
      const graph = await quantized(quantizeStatic, float, options, calibration);
      for (const size of widths) {
        const feeds = feedsOf(float, 1, size);
        const expected = await run(float, feeds);
        for (const engine of await enginesFor(options))
          expect(agreement(expected, await run(graph, feeds, engine))).toBeGreaterThan(atLeast);
      }
    },
  );

  it.each([
    [0.5, 6],
    [-6, -0.5],
    [-1, 6],
    [0, 6],
  ])("clips to %d and %d, whether integers hold 0 beyond them or not", async (low, high) => {
    const clipped = graphOf({ x: ["float32", 1, 3, 6, 6] }, (input, b) => {
      const map = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1), b.weights(8)]);
      return { y: b.add("Clip", [map, b.floats([low]), b.floats([high])]) };
    });
    const graph = await quantized(quantizeStatic, clipped, {}, calibrationOn(clipped, [{}]));
    const feeds = feedsOf(clipped);
    const { y } = await run(graph, feeds);
    const found = [...(y?.data ?? [])].map(Number);
    const step = (Math.max(high, 0) - Math.min(low, 0)) / 127;
    expect(Math.min(...found)).toBeGreaterThanOrEqual(low - step / 2);
    expect(Math.max(...found)).toBeLessThanOrEqual(high + step / 2);
    expect(agreement(await run(clipped, feeds), { ...(y && { y }) })).toBeGreaterThan(25);
  });

  it.each([{ ops: "all" }, { activationBits: 7, between: "integers", reduceRange: false }])(
    "with %o gives an input that is an output too as it came",
    async (options) => {
      const passing = graphOf({ x: ["float32", 1, 3, 6, 6] }, (input, b) => ({
        y: b.add("Conv", [input("x"), b.weights(8, 3, 1, 1)]),
        x: input("x"),
      }));
      const graph = await quantized(quantizeStatic, passing, options, calibrationOn(passing, [{}]));
      const feeds = feedsOf(passing);
      const { x, y } = await run(graph, feeds);
      expect(x).toEqual(feeds["x"]);
      expect(
        agreement(await run(passing, feeds), { ...(x && { x }), ...(y && { y }) }),
      ).toBeGreaterThan(20);
    },
  );

  it("stores four bits as such, which the CPU engine computes as eight", async () => {
    const graph = await quantized(quantizeStatic, float, { bits: 4 }, calibration);
    const ops = await fusedOps(graph);
    expect(ops.filter((op) => op === "QLinearConv")).toHaveLength(3);
    expect(ops).toContain("QGemm");
    // All that decodes is gone once the model is loaded.
    for (const op of ["Conv", "Gemm", "Cast", "BitShift", "Sub", "Reshape"])
      expect(ops).not.toContain(op);
    const bytes = [...graph.main.initializers].flatMap((id) => {
      const tensor = graph.constant(id);
      return tensor !== undefined && graph.value(id).name.endsWith("_quantized")
        ? [`${tensor.dtype} ${tensor.count}`]
        : [];
    });
    expect(bytes).toEqual(["uint8 108", "uint8 36", "uint8 24", "uint8 15"]);
    expect(graph.journal.map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(/^int4: 8 weight scales/),
    );
  });

  it("gives every node with weights a reason", async () => {
    const graph = await quantized(
      quantizeStatic,
      float,
      { convolutions: ["full"], outputs: "float" },
      calibration,
    );
    const reasons = graph.journal.map(
      ({ op, what, reason }) => `${op} ${what}: ${reason.replaceAll(/\d+\.\d+/g, "…")}`,
    );
    expect(reasons).toEqual([
      "Conv left: depthwise convolutions are slower in int8 on this target",
      "Conv left: pointwise convolutions are slower in int8 on this target",
      "Conv changed: int8: 8 weight scales, … dB; input in steps of …",
      "Gemm changed: int8: 5 weight scales, … dB; input in steps of …",
    ]);
  });

  it("leaves float what it is told to, by name and by operator", async () => {
    const gemm = await quantized(quantizeStatic, float, { keepFloat: ["Conv"] }, calibration);
    expect(opsOf(gemm).filter((op) => op === "QuantizeLinear")).toHaveLength(1);
    const none = await quantized(
      quantizeStatic,
      float,
      { keepFloat: ["Conv", "Gemm"] },
      calibration,
    );
    expect(none.changes).toBe(float.changes);
    expect(await printGraph(none)).toBe(await printGraph(float));
  });

  it("tells a node from an operator that has the same name", async () => {
    const named = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
      const weighted = (from: ValueId, name: string): ValueId =>
        b.editor.add1("MatMul", [from, b.weights(4, 4)], {}, { name });
      const hidden = b.add("Tanh", [weighted(input("x"), "MatMul")]);
      return { y: b.add("Relu", [weighted(b.add("Tanh", [weighted(hidden, "Gemm")]), "last")]) };
    });
    const left = async (keepFloat: unknown): Promise<readonly string[]> => {
      const graph = await quantized(quantizeStatic, named, { keepFloat });
      return graph.journal.filter(({ what }) => what === "left").map(({ node }) => node);
    };
    const all = ["MatMul", "Gemm", "last"];
    expect(await left({ nodes: ["MatMul"] })).toEqual(["MatMul"]);
    expect(await left({ nodes: ["Gemm"], ops: [] })).toEqual(["Gemm"]);
    expect(await left({ ops: ["MatMul"] })).toEqual(all);
    // A list of texts, as it was before: what is an operator means the operator.
    expect(await left(["MatMul"])).toEqual(all);
    expect(await left(["Gemm"])).toEqual([]);
    expect(await left(["last"])).toEqual(["last"]);
  });

  it("keeps convolutions float that make the model's outputs", async () => {
    const heads = graphOf({ x: ["float32", 1, 3, 6, 6] }, (input, b) => {
      const body = b.add("Relu", [
        b.add("Conv", [input("x"), b.weights(4, 3, 3, 3), b.weights(4)], same),
      ]);
      const boxes = b.add("Mul", [b.add("Conv", [body, b.weights(4, 4, 1, 1)]), b.floats([100])]);
      return { boxes, scores: b.add("Sigmoid", [b.add("Conv", [body, b.weights(2, 4, 1, 1)])]) };
    });
    const graph = await quantized(quantizeStatic, heads, { outputs: "float" });
    expect((await fusedOps(graph)).filter((op) => op.endsWith("Conv"))).toEqual([
      "QLinearConv",
      "Conv",
      "FusedConv",
    ]);
  });

  it.each<[string, (b: Builder, product: ValueId, x: ValueId) => ValueId]>([
    ["a Relu", (b, product) => b.add("Relu", [product])],
    ["a sum", (b, product, x) => b.add("Add", [x, product])],
  ])("rounds what a matrix gives before %s whose reader stays float", async (_, behind) => {
    const model = graphOf({ x: ["float32", "N", 16] }, (input, b) => {
      const product = b.add("MatMul", [input("x"), b.weights(16, 16)]);
      return { y: b.add("Softmax", [behind(b, product, input("x"))]) };
    });
    const own = calibrationOn(model, [{ N: 2 }, { N: 3 }]);
    const ops = await fusedOps(await quantized(quantizeStatic, model, {}, own));
    expect(ops).toContain("QLinearMatMul");
    expect(ops).not.toContain("MatMul");
    expect(ops).not.toContain("Gemm");
    expect(ops).not.toContain("FusedGemm");
  });

  it("leaves float what reads numbers that no scale stands for: its bias would be lost", async () => {
    const model = graphOf({ x: ["float32", "N", 8] }, (input, b) => {
      const tiny = b.floats(
        Array.from({ length: 64 }, () => 1e-37),
        [8, 8],
      );
      const gone = b.add("Relu", [b.add("MatMul", [input("x"), tiny])]);
      return {
        y: b.add("Gemm", [
          gone,
          b.floats(
            Array.from({ length: 8 }, () => 1e5),
            [8, 1],
          ),
          b.floats([2]),
        ]),
      };
    });
    const own = calibrationOn(model, [{ N: 2 }, { N: 3 }]);
    const graph = await quantized(quantizeStatic, model, {}, own);
    const feeds = feedsOf(model, 1, { N: 2 });
    expect(agreement(await run(model, feeds), await run(graph, feeds))).toBeGreaterThan(40);
  });

  it("leaves float what reads or gives nothing but 0 in calibration, and says so", async () => {
    const model = graphOf({ x: ["float32", "N", 8] }, (input, b) => {
      const never = b.add("Relu", [b.add("Sub", [input("x"), b.floats([1e6])])]);
      const reads = b.add("MatMul", [b.add("Reshape", [never, b.ints([-1, 8])]), b.weights(8, 8)]);
      const usual = b.add("MatMul", [input("x"), b.weights(8, 8)]);
      return { y: b.add("Concat", [reads, usual], { axis: attribute.int(1) }) };
    });
    const own = calibrationOn(model, [{ N: 2 }, { N: 3 }]);
    const graph = await quantized(quantizeStatic, model, {}, own);
    expect(graph.journal.filter(({ what }) => what === "left")).toMatchObject([
      { op: "MatMul", reason: "calibration saw nothing but 0 of what it reads" },
    ]);
    expect(opsOf(graph).filter((op) => op === "QuantizeLinear")).toHaveLength(1);
  });

  it("keeps the bias of channels that have no weights but 0", async () => {
    const model = graphOf({ x: ["float32", "N", 4] }, (input, b) => {
      const weight = b.floats([-4, -3, -2, -1, 0, 1, 2, 3, 0, 0, 0, 0], [3, 4]);
      const scaled = b.add("Mul", [input("x"), b.floats([1000])]);
      const gemm = b.add("Gemm", [scaled, weight, b.floats([1, 2, -0.75])], {
        transB: attribute.int(1),
      });
      return { y: b.add("Sigmoid", [gemm]) };
    });
    const own = calibrationOn(model, [{ N: 2 }, { N: 3 }]);
    const graph = await quantized(quantizeStatic, model, {}, own);
    const feeds = feedsOf(graph, 1, { N: 1 });
    const [before, after] = [await run(model, feeds), await run(graph, feeds)].map(({ y }) =>
      Number(y?.data[2]),
    );
    expect(before).toBeCloseTo(1 / (1 + Math.exp(0.75)), 4);
    expect(after).toBeCloseTo(before ?? NaN, 3);
  });

  it("keeps the node float that reads the model's input", async () => {
    const graph = await quantized(quantizeStatic, float, { inputs: "float" }, calibration);
    expect(graph.journal.filter((entry) => entry.what === "left")).toMatchObject([
      { op: "Conv", reason: "it reads the model's input, where rounding does most harm" },
    ]);
  });

  it("keeps a shared weight shared, wide enough for the bias of both nodes", async () => {
    const twins = graphOf({ x: ["float32", 1, 3, 6, 6] }, (input, b) => {
      const weight = b.weights(3, 3, 3, 3);
      const first = b.add("Relu", [b.add("Conv", [input("x"), weight, b.weights(3)], same)]);
      return { y: b.add("Conv", [first, weight, b.floats([1e7, 0.1, -0.2])], same) };
    });
    const graph = await quantized(quantizeStatic, twins);
    const stored = [...graph.main.initializers].filter(
      (id) =>
        graph.value(id).type.kind === "tensor" &&
        graph.constant(id)?.dtype === "int8" &&
        graph.constant(id)?.dims.length === 4,
    );
    expect(stored).toHaveLength(1);
    const feeds = feedsOf(twins);
    expect(agreement(await run(twins, feeds), await run(graph, feeds))).toBeGreaterThan(20);
  });

  it("takes out of biases what rounding shifts, also where there was no bias", async () => {
    const shifted = graphOf({ x: ["float32", 1, 6, 5, 5] }, (input, b) => ({
      y: b.add("Conv", [b.add("Exp", [input("x")]), b.weights(8, 6, 1, 1)]),
    }));
    const feeds = feedsOf(shifted, 3);
    const expected = await run(shifted, feeds);
    const [plain, corrected] = await Promise.all(
      [false, true].map(async (correctBias) => {
        const graph = await quantized(quantizeStatic, shifted, { correctBias });
        return agreement(expected, await run(graph, feeds));
      }),
    );
    expect(corrected).toBeGreaterThan((plain ?? NaN) + 0.5);
  });

  it("gives what an operator only moves the steps that it came in", async () => {
    const split = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const before = b.add("Conv", [input("x"), b.weights(6, 3, 1, 1)]);
      const attributes = { axis: attribute.int(1), num_outputs: attribute.int(2) };
      const [left = before, right = before] = b.many("Split", 2, [before], attributes);
      return {
        y: b.add("Conv", [left, b.weights(2, 3, 1, 1)]),
        z: b.add("Add", [right, b.floats([1])]),
      };
    });
    const graph = await quantized(quantizeStatic, split);
    const scaleOf = (value: ValueId | null | undefined): ValueId | null | undefined =>
      graph.producer(value ?? undefined)?.inputs[1];
    const [mover] = graph.order().filter(({ op }) => op === "Split");
    const [reader] = graph.consumers(mover?.outputs[0] ?? (0 as ValueId));
    expect(reader?.op).toBe("QuantizeLinear");
    expect(reader?.inputs[1]).toBe(scaleOf(mover?.inputs[0]));
  });

  it("corrects the bias of a convolution whatever else reads its input", async () => {
    const convolution = (beside: boolean): Graph =>
      graphOf({ x: ["float32", 1, 6, 5, 6] }, (input, b) => {
        const shared = b.add("Exp", [input("x")]);
        const y = b.add("Conv", [shared, b.weights(8, 6, 1, 1), b.weights(8)]);
        return beside ? { y, z: b.add("MatMul", [shared, b.weights(6, 3)]) } : { y };
      });
    const alone = await quantized(quantizeStatic, convolution(false));
    const beside = await quantized(quantizeStatic, convolution(true));
    expect(biasesOf(alone)).toHaveLength(1);
    expect(biasesOf(beside)).toEqual(biasesOf(alone));
  });

  it("leaves a Gemm whose C is one number per row, and takes one of one number per column", async () => {
    const gemm = (...dims: readonly number[]): Graph =>
      graphOf({ x: ["float32", 4, 8] }, (input, b) => ({
        y: b.add("Gemm", [input("x"), b.weights(8, 4), b.floats([1, -20, 30, -4], dims)]),
      }));
    const rows = await quantized(quantizeStatic, gemm(4, 1));
    expect(rows.journal).toMatchObject([
      { what: "left", reason: "its bias is not one number per output channel" },
    ]);
    for (const columns of [gemm(4), gemm(1, 4)]) {
      const feeds = feedsOf(columns, 1);
      const graph = await quantized(quantizeStatic, columns);
      expect(graph.journal).toMatchObject([{ what: "changed" }]);
      expect(agreement(await run(columns, feeds), await run(graph, feeds))).toBeGreaterThan(30);
    }
  });

  it.each([
    [Infinity, 0, "its weights are not all finite"],
    [NaN, 0, "its weights are not all finite"],
    [1, -Infinity, "its bias is not all finite"],
  ])("leaves a weight of %d and a bias of %d float, saying so", async (weight, bias, reason) => {
    const unfit = graphOf({ x: ["float32", 3, 2] }, (input, b) => ({
      y: b.add("Gemm", [input("x"), b.floats([0.5, weight], [2, 1]), b.floats([bias], [1])]),
    }));
    for (const options of [{}, { ops: "all" }]) {
      const graph = await quantized(quantizeStatic, unfit, options);
      expect(graph.journal).toMatchObject([{ what: "left", reason }]);
      expect(graph.changes).toBe(unfit.changes);
    }
  });

  it("does not round a MatMul's weights as an activation where they are not finite", async () => {
    const unfit = graphOf({ x: ["float32", 3, 2] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.floats([0.5, NaN], [2, 1])]),
    }));
    const graph = await quantized(quantizeStatic, unfit, { ops: "all" });
    expect(graph.changes).toBe(unfit.changes);
  });

  it("rounds everything in the plain way, inputs and outputs included", async () => {
    const graph = await quantized(
      quantizeStatic,
      float,
      { ops: "all", granularity: "tensor", reduceRange: false },
      calibration,
    );
    expect(await printGraph(graph)).toMatch(/^ {2}%1 = QuantizeLinear\(x, /m);
    expect(graph.producer(graph.main.outputs[0])?.op).toBe("DequantizeLinear");
    expect(graph.value(graph.main.outputs[0] ?? (0 as ValueId)).name).toBe("y");
    expect(opsOf(graph)).not.toContain("Relu");
  });

  it("says what to do when there is no data", async () => {
    const pass = quantizeStatic.create(quantizeStatic.parse({}));
    await expect(Promise.resolve(pass.run(float.fork(), {}))).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      hint: expect.stringContaining("--data"),
    });
  });

  it("reads weightBits as what reduceRange was called before", () => {
    const reduced = (options: Readonly<Record<string, unknown>>) => [
      quantizeStatic.parse(options).reduceRange,
      quantizeDynamic.parse(options).reduceRange,
    ];
    expect(reduced({})).toEqual([true, true]);
    expect(reduced({ weightBits: 7 })).toEqual([true, true]);
    expect(reduced({ weightBits: 8 })).toEqual([false, false]);
    expect(reduced({ reduceRange: false })).toEqual([false, false]);
  });

  it.each([
    [{ ranges: "entropy" }, "quantize-static.ranges", /minmax/],
    [{ weightBits: 6 }, "quantize-static.weightBits", /7 or 8/],
    [{ weightBits: 8, reduceRange: false }, "quantize-static.weightBits", /now reduceRange/],
    [{ reduceRange: 7 }, "quantize-static.reduceRange", /true or false/],
    [{ keepFloat: [3] }, "quantize-static.keepFloat[0]", /a text/],
    [{ keepFloat: { node: [] } }, "quantize-static.keepFloat.node", /nodes, ops/],
    [{ convolutions: ["wide"] }, "quantize-static.convolutions[0]", /pointwise/],
    [{ bits: 5 }, "quantize-static.bits", undefined],
    [{ bit: 4 }, "quantize-static.bit", /reduceRange/],
    [[], "quantize-static", undefined],
  ])("refuses the options %o", (options, where, hint) => {
    const expected = {
      code: "RECIPE",
      where,
      ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
    };
    expect(() => quantizeStatic.parse(options)).toThrow(expect.objectContaining(expected));
  });
});

it("prints as expected on a small network", async () => {
  const small = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => ({
    y: b.add("Relu", [
      b.add("Conv", [input("x"), b.floats([1, -2, 0.5, 4], [2, 2, 1, 1]), b.floats([0.25, -1])]),
    ]),
  }));
  const graph = await quantized(quantizeStatic, small);
  expect(await printGraph(graph)).toMatchInlineSnapshot(`
    "graph main opset 21 (x: float32[1, 2, 4, 4]) -> (y) {
      %1 = QuantizeLinear(x, const float32[] 0.02208857, const uint8[] 124) : uint8[1, 2, 4, 4]
      %2 = DequantizeLinear(%1, const float32[] 0.02208857, const uint8[] 124) : float32[1, 2, 4, 4]
      %3 = DequantizeLinear(const int8[2, 2, 1, 1] [32, -64, 8, 64], const float32[2] [0.03125, 0.0625], const int8[2] [0, 0]) {axis = 0} : float32[2, 2, 1, 1]
      %4 = DequantizeLinear(const int32[2] [362, -724], const float32[2] [0.0006902678, 0.0013805357]) {axis = 0} : float32[2]
      %5 = Conv(%2, %3, %4) : float32[1, 2, 4, 4]
      %6 = QuantizeLinear(%5, const float32[] 0.03531497, const uint8[] 0) : uint8[1, 2, 4, 4]
      %7 = DequantizeLinear(%6, const float32[] 0.03531497, const uint8[] 0) : float32[1, 2, 4, 4]
      return %7
    }
    "
  `);
});

it("asks, with some of it left float, for a part of what it asks without", async () => {
  const asked: (readonly Wanted[])[] = [];
  const own: number[] = [];
  const graph = mobileNetwork();
  for (const options of [
    {},
    { inputs: "float" },
    { outputs: "float" },
    { keepFloat: { ops: ["Conv"] } },
    { keepFloat: { ops: ["Gemm"] } },
    { keepFloat: { nodes: ["Conv_1"] } },
  ]) {
    const known = new MeasuredActivations(calibrationOn(graph, widths));
    await quantizeStatic.create(quantizeStatic.parse(options)).run(graph.fork(), {
      activations: {
        async observe(fork, wanted, more) {
          asked.push(together(wanted, more.beside));
          own.push(wanted.length);
          return known.observe(fork, wanted, more);
        },
      },
    });
  }
  const sorted = asked.map((all) => all.map((one) => JSON.stringify(one)).sort());
  for (const all of sorted) expect(all).toEqual(sorted[0]);
  expect(Math.min(...own)).toBeLessThan(Math.max(...own));
});
