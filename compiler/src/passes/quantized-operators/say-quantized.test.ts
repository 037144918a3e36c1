import { elementCount } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attributes, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, type Declared, graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { exactEngine } from "../../targets/exact-engine.test.support.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { noise } from "../../wasm/run-model.test.support.js";
import {
  type Bytes,
  bytes,
  compared,
  decoded,
  type How,
  noiseBytes,
  own,
  rounded,
  steps,
} from "./quantized-case.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

/** What an operator reads and gives; engines have both of one type. */
const hows = fc.constantFrom<Bytes>("uint8", "int8").chain((type) => {
  const how = fc.record({
    type: fc.constant(type),
    scale: size(4, 40).map((n) => Math.fround(n / 1000)),
    zeroPoint: type === "uint8" ? size(60, 200) : size(-60, 60),
  });
  return fc.record({ x: how, z: how, y: how });
});

const u8 = (scale: number, zeroPoint = 0): How => ({ type: "uint8", scale, zeroPoint });
const s8 = (scale: number, zeroPoint: number): How => ({ type: "int8", scale, zeroPoint });

interface WeightsHow {
  readonly type: Bytes;
  readonly perChannel: boolean;
}

/** Signed activations have signed weights. */
const weightsHow = fc.record({
  type: fc.constantFrom<Bytes>("int8", "uint8"),
  perChannel: fc.boolean(),
});

const scaleAt = (at: number): number => Math.fround(0.004 + at / 1000);

interface Weights {
  readonly inputs: readonly [ValueId, ValueId, ValueId];
  /** By channel, or one for all. */
  readonly scales: readonly number[];
}

/** @param axis of the channels */
function weightsOf(
  b: Builder,
  dims: readonly number[],
  axis: number,
  { perChannel }: WeightsHow,
  type: Bytes,
): Weights {
  const zero = type === "uint8" ? 128 : 0;
  const scales = Array.from({ length: perChannel ? (dims[axis] ?? 1) : 1 }, (_, at) => scaleAt(at));
  const shape = perChannel ? [scales.length] : [];
  const zeros = scales.map(() => zero);
  return {
    inputs: [
      bytes(b, type, noiseBytes(elementCount(dims), zero), dims),
      b.floats(scales, shape),
      bytes(b, type, zeros, shape),
    ],
    scales,
  };
}

function biasOf(b: Builder, dims: readonly number[]): ValueId {
  const values = Int32Array.from(noise(elementCount(dims), 5), (x) => Math.round(x * 500));
  return b.editor.constant("b", Tensor.of("int32", dims, values));
}

const convolution = fc
  .record({
    group: fc.constantFrom(1, 2, 4),
    each: size(1, 3),
    depth: size(1, 3),
    isDepthwise: fc.boolean(),
    kernel: list(2, 1, 3),
    sizes: list(2, 5, 8),
    strides: list(2, 1, 2),
    dilations: list(2, 1, 2),
    pads: list(4, 0, 2),
    pad: fc.constantFrom("explicit", "SAME_UPPER", "SAME_LOWER", "VALID"),
    isRow: fc.boolean(),
    bias: fc.boolean(),
    isOwn: fc.boolean(),
    hows,
    weights: weightsHow,
  })
  .map((each) => (each.isDepthwise ? { ...each, depth: 1, each: 1 } : each));

it("convolves integers to the bit as onnxruntime does: both sum exactly and round one product of floats", async () => {
  await fc.assert(
    fc.asyncProperty(convolution, async (c) => {
      const { group, each, depth, hows: how, weights } = c;
      const rank = c.isRow ? 1 : 2;
      const [sizes, kernel] = [c.sizes.slice(0, rank), c.kernel.slice(0, rank)];
      const isExplicit = c.pad === "explicit";
      const attributes: Attributes = {
        group: attribute.int(group),
        kernel_shape: attribute.ints(kernel),
        strides: attribute.ints(c.strides.slice(0, rank)),
        ...(isExplicit
          ? {
              pads: attribute.ints(c.pads.slice(0, 2 * rank)),
              dilations: attribute.ints(c.dilations.slice(0, rank)),
            }
          : { auto_pad: attribute.string(c.pad) }),
      };
      const graph = graphOf({ x: ["float32", 2, group * depth, ...sizes] }, (input, b) => {
        const type = how.x.type === "int8" ? "int8" : weights.type;
        const dims = [group * each, depth, ...kernel];
        const { inputs } = weightsOf(b, dims, 0, weights, type);
        const all = [
          ...rounded(b, input("x"), how.x),
          ...inputs,
          ...steps(b, how.y),
          ...(c.bias ? [biasOf(b, [group * each])] : []),
        ];
        const sum = c.isOwn
          ? own(b, "QLinearConv", all, attributes)
          : b.add("QLinearConv", all, attributes);
        return { y: decoded(b, sum, how.y) };
      });
      const { apart, kernels } = await compared(graph, how.y.scale, await exactEngine());
      expect(apart).toBe(0);
      expect(kernels.some((kernel) => /^(matrix|depthwise)-i8$/.test(kernel))).toBe(true);
      expect(kernels).not.toContain("matrix");
    }),
    { numRuns: cases(90) },
  );
});

it("multiplies integers to the bit as onnxruntime does, constants by column", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 3), size(1, 5), size(1, 9), size(1, 9)),
    hows,
    weights: weightsHow,
  });
  await fc.assert(
    fc.asyncProperty(
      problem,
      async ({ dims: [batch, rows, depth, columns], hows: how, weights }) => {
        const graph = graphOf({ x: ["float32", batch, rows, depth] }, (input, b) => {
          const type = how.x.type === "int8" ? "int8" : weights.type;
          const { inputs } = weightsOf(b, [depth, columns], 1, weights, type);
          const all = [...rounded(b, input("x"), how.x), ...inputs, ...steps(b, how.y)];
          return { y: decoded(b, b.add("QLinearMatMul", all), how.y) };
        });
        const { apart, kernels } = await compared(graph, how.y.scale, await exactEngine());
        expect(apart).toBe(0);
        expect(kernels).toContain("matrix-i8");
      },
    ),
    { numRuns: cases(45) },
  );
});

it("multiplies what both a run computes as floats: a step aside where a sum lies on a half", async () => {
  const problem = fc.record({ dims: fc.tuple(size(1, 5), size(1, 9), size(1, 9)), hows });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: [rows, depth, columns], hows: how }) => {
      const inputs: Record<string, Declared> = {
        x: ["float32", 2, rows, depth],
        z: ["float32", depth, columns],
      };
      const graph = graphOf(inputs, (input, b) => {
        const all = [...rounded(b, input("x"), how.x), ...rounded(b, input("z"), how.z)];
        return { y: decoded(b, b.add("QLinearMatMul", [...all, ...steps(b, how.y)]), how.y) };
      });
      expect((await compared(graph, how.y.scale, await exactEngine())).apart).toBeLessThan(1.001);
    }),
    { numRuns: cases(18) },
  );
});

it("has QGemm's turned operands, biases and factor, and floats where it gives them", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 5), size(1, 9), size(2, 9)),
    turned: fc.tuple(size(0, 1), size(0, 1)),
    alpha: fc.constantFrom(1, 1, 0.5),
    bias: fc.constantFrom("none", "columns", "row", "one", "rows", "all"),
    isFloat: fc.boolean(),
    hows,
    weights: weightsHow,
  });
  await fc.assert(
    fc.asyncProperty(problem, async (c) => {
      const { hows: how, weights, alpha } = c;
      const [rows, depth, columns] = c.dims;
      const [transA, transB] = c.turned;
      const biases: Record<string, readonly number[] | undefined> = {
        columns: [columns],
        row: [1, columns],
        one: weights.perChannel ? undefined : [1],
        rows: weights.perChannel ? undefined : [rows, 1],
        all: [rows, columns],
      };
      const bias = biases[c.bias];
      const x: Declared = ["float32", ...(transA === 0 ? [rows, depth] : [depth, rows])];
      const graph = graphOf({ x }, (input, b) => {
        const type = how.x.type === "int8" ? "int8" : weights.type;
        const dims = transB === 0 ? [depth, columns] : [columns, depth];
        const { inputs } = weightsOf(b, dims, transB === 0 ? 1 : 0, weights, type);
        const all = [
          ...rounded(b, input("x"), how.x),
          ...inputs,
          bias === undefined ? null : biasOf(b, bias),
          ...(c.isFloat ? [] : steps(b, how.y)),
        ];
        const product = own(b, "QGemm", all, {
          transA: attribute.int(transA),
          transB: attribute.int(transB),
          alpha: attribute.float(alpha),
        });
        return { y: c.isFloat ? product : decoded(b, product, how.y) };
      });
      const { apart, kernels } = await compared(graph, how.y.scale, await exactEngine());
      const isPlain = transA === 0 && alpha === 1 && (bias === undefined || c.bias === "columns");
      if (isPlain) expect(kernels).toContain("matrix-i8");
      // Where floats are summed, or scaled in another order, a half may be rounded to the other side.
      expect(apart).toBeLessThan(c.isFloat ? 1e-3 : isPlain ? 1e-6 : 1.001);
    }),
    { numRuns: cases(90) },
  );
});

it("multiplies by a mask as low as floats go, of which nothing is nothing", async () => {
  const mask = u8(2.68e36, 127);
  const graph = graphOf({ x: ["float32", 2, 6] }, (input, b) => {
    const x = rounded(b, b.add("Relu", [input("x")]), u8(1));
    const low = [bytes(b, "uint8", [0], [1]), ...steps(b, mask)];
    return { y: own(b, "QLinearMul", [...x, ...low, ...steps(b, mask)]) };
  });
  const { apart, outputs } = await compared(graph, 1);
  expect(apart).toBe(0);
  expect(Array.from(outputs["y"]?.data ?? [], Number)).toEqual(expect.arrayContaining([0, 127]));
});

it("adds and multiplies integers of two scales, a step aside where engines fuse factor and zero point", async () => {
  const problem = fc.record({
    op: fc.constantFrom("QLinearAdd", "QLinearMul"),
    dims: list(4, 1, 5),
    spread: fc.constantFrom("none", "channels", "constant"),
    hasZero: fc.boolean(),
    hows,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, dims, spread, hasZero, hows: given }) => {
      // Engines take these operators without the last zero point, and with the others.
      const how = hasZero ? given : { ...given, y: { ...given.y, zeroPoint: 0 } };
      const [batch = 1, channels = 1] = dims;
      const other = spread === "none" ? dims : [batch, channels, 1, 1];
      const inputs: Record<string, Declared> = { x: ["float32", ...dims] };
      if (spread !== "constant") inputs["z"] = ["float32", ...other];
      const graph = graphOf(inputs, (input, b) => {
        const constant = noiseBytes(elementCount(other), how.z.zeroPoint, 40);
        const limited = constant.map((x) => Math.min(Math.max(x, 0), 127));
        const z =
          spread === "constant"
            ? [bytes(b, how.z.type, limited, other), ...steps(b, how.z)]
            : rounded(b, input("z"), how.z);
        const result = steps(b, how.y).slice(0, hasZero ? 2 : 1);
        const all = [...rounded(b, input("x"), how.x), ...z, ...result];
        return { y: decoded(b, own(b, op, all), how.y) };
      });
      const { apart, kernels } = await compared(graph, how.y.scale);
      expect(apart).toBeLessThan(1.001);
      if (spread === "none")
        expect(kernels.some((each) => /^(join|gate)-i8$/.test(each))).toBe(true);
    }),
    { numRuns: cases(60) },
  );
});

/** Of what looks at one element, or moves it, a table says each byte: engines have one too. */
it("looks up functions of bytes; joins and chooses to the bit", async () => {
  const problem = fc.record({
    op: fc.constantFrom("QLinearSigmoid", "QLinearLeakyRelu", "QLinearConcat", "QLinearWhere"),
    dims: list(3, 1, 6),
    axis: size(-3, 2),
    alpha: fc.constantFrom(undefined, Math.fround(0.2)),
    isAlike: fc.boolean(),
    hasZero: fc.boolean(),
    hows,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, dims, axis, alpha, isAlike, hasZero, hows: given }) => {
      const isUnary = op === "QLinearSigmoid" || op === "QLinearLeakyRelu";
      const without = isUnary && !hasZero ? { zeroPoint: 0 } : {};
      const x = { ...given.x, ...without };
      const how = isAlike ? { x, z: x, y: x } : { ...given, x };
      const inputs: Record<string, Declared> = { x: ["float32", ...dims], z: ["float32", ...dims] };
      const graph = graphOf(inputs, (input, b) => {
        const [x, z] = [rounded(b, input("x"), how.x), rounded(b, input("z"), how.z)];
        const to = steps(b, how.y);
        // The engine breaks off where the last zero point is left out.
        const each = hasZero ? [...x, ...to] : [x[0], x[1], null, ...to];
        const isOver = b.add("Greater", [input("x"), input("z")]);
        const unary = alpha === undefined ? {} : { alpha: attribute.float(alpha) };
        const made: Record<string, () => ValueId> = {
          QLinearSigmoid: () => own(b, op, each),
          QLinearLeakyRelu: () => own(b, op, each, unary),
          QLinearConcat: () => own(b, op, [...to, ...x, ...z, ...x], { axis: attribute.int(axis) }),
          QLinearWhere: () => own(b, op, [isOver, ...x, ...z, ...to]),
        };
        const value = made[op]?.();
        if (value === undefined) throw new Error(op);
        return { y: decoded(b, value, how.y), unused: isOver };
      });
      const { apart, kernels } = await compared(graph, how.y.scale);
      // Sigmoid is approximated there, and rounded here.
      expect(apart).toBeLessThan(op === "QLinearSigmoid" ? 1.001 : 1e-6);
      if (op === "QLinearConcat" && !isAlike) expect(kernels).toContain("look-up-i8");
    }),
    { numRuns: cases(60) },
  );
});

/** A last window that begins in the image and ends behind its pads, where pads count. */
const reaching = {
  isGlobal: false,
  dims: [1, 2, 4, 4] as [number, number, number, number],
  kernel: [1, 2],
  strides: [1, 2],
  pads: [0, 1, 0, 0],
  pad: "explicit",
  counts: 1,
  ceil: 1,
  hows: { x: u8(0.01, 90), z: u8(0.01, 90), y: u8(0.01, 90) },
};

it("averages integers, a step aside: engines divide in another order, or add the zero point before they round", async () => {
  const problem = fc.record({
    isGlobal: fc.boolean(),
    dims: fc.tuple(size(1, 2), size(1, 5), size(4, 8), size(4, 8)),
    kernel: list(2, 1, 3),
    strides: list(2, 1, 3),
    pads: list(4, 0, 1),
    pad: fc.constantFrom("explicit", "explicit", "SAME_UPPER", "SAME_LOWER", "VALID"),
    counts: size(0, 1),
    ceil: size(0, 1),
    hows,
  });
  await fc.assert(
    fc.asyncProperty(problem, async (c) => {
      const { isGlobal, dims, hows: how, pad } = c;
      const kernel = c.kernel.map((each, at) =>
        Math.max(each, 1 + (c.pads[at] ?? 0), 1 + (c.pads[at + 2] ?? 0)),
      );
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const all = [...rounded(b, input("x"), how.x), ...steps(b, how.y)];
        const attributes: Attributes = {
          kernel_shape: attribute.ints(kernel),
          strides: attribute.ints(c.strides),
          count_include_pad: attribute.int(c.counts),
          ceil_mode: attribute.int(c.ceil),
          ...(pad === "explicit"
            ? { pads: attribute.ints(c.pads) }
            : { auto_pad: attribute.string(pad) }),
        };
        const mean = isGlobal
          ? own(b, "QLinearGlobalAveragePool", all, { channels_last: attribute.int(0) })
          : own(b, "QLinearAveragePool", all, attributes);
        return { y: decoded(b, mean, how.y) };
      });
      const { apart, kernels } = await compared(graph, how.y.scale);
      expect(apart).toBeLessThan(1.001);
      // A window of one place has no mean.
      if (isGlobal || kernel.some((each) => each > 1)) expect(kernels).toContain("mean-i8");
    }),
    { numRuns: cases(90), examples: [[reaching]] },
  );
});

it("has shares along the axes that Softmax meant, a step aside: engines sum exponentials from a table, and count whole steps to one", async () => {
  const problem = fc.record({
    dims: list(3, 1, 6),
    axis: fc.constantFrom(undefined, -3, -2, -1, 0, 1, 2),
    opset: fc.constantFrom(11, 12, 13, 21),
    type: fc.constantFrom<Bytes>("uint8", "int8"),
    parts: fc.constantFrom(256, 256, 100.4, 200),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, axis, opset, type, parts }) => {
      const x: How = { type, scale: 0.02, zeroPoint: type === "int8" ? 3 : 120 };
      const y: How = { type, scale: Math.fround(1 / parts), zeroPoint: type === "int8" ? -128 : 0 };
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const all = [...rounded(b, input("x"), x), ...steps(b, y)];
        const shares = own(b, "QLinearSoftmax", all, {
          opset: attribute.int(opset),
          ...(axis !== undefined && { axis: attribute.int(axis) }),
        });
        return { y: decoded(b, shares, y) };
      });
      // Of one element the engine's exponential times 256 is more than a float: what it gives then is anything.
      if (sharers(dims, axis, opset) === 1) return;
      expect((await compared(graph, y.scale)).apart).toBeLessThan(1.001);
    }),
    { numRuns: cases(60) },
  );
});

/** Of how many elements the shares are. */
function sharers(dims: readonly number[], axis: number | undefined, opset: number): number {
  const at = axis ?? -1;
  const from = at < 0 ? at + dims.length : at;
  return elementCount(opset < 13 ? dims.slice(from) : [dims[from] ?? 1]);
}

/** A residual network as onnxruntime's quantizer writes it in either of its formats. */
function network(format: "operators" | "pairs", type: Bytes) {
  const how = (scale: number): How => (type === "uint8" ? u8(scale, 0) : s8(scale, -128));
  const pads = { pads: attribute.ints([1, 1, 1, 1]) };
  const window = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) };
  const softmax = { type, scale: 1 / 256, zeroPoint: type === "uint8" ? 0 : -128 };
  return graphOf({ x: ["float32", 1, 8, 8, 8] }, (input, b) => {
    /** A layer on bytes: one node, or its float form between two that round. */
    const layer = (
      op: string,
      named: string,
      operands: readonly (readonly [ValueId, How])[],
      y: How,
      attributes: Attributes = {},
    ): ValueId => {
      const ends = steps(b, y);
      if (format === "pairs") {
        const floats = operands.map(([id, own]) => decoded(b, id, own));
        return b.add("QuantizeLinear", [b.add(op, floats, attributes), ...ends]);
      }
      const all = operands.flatMap(([id, own]) => [id, ...steps(b, own)]);
      const isFirst = op === "Concat";
      const inputs = isFirst ? [...ends, ...all] : [...all, ...ends];
      return own(b, named, inputs, attributes);
    };
    const weighted = (
      op: string,
      named: string,
      [x, from]: readonly [ValueId, How],
      dims: readonly number[],
      y: How,
      attributes: Attributes = {},
    ): ValueId => {
      const weights = weightsOf(b, dims, 0, { type: "int8", perChannel: true }, "int8");
      const bias = biasOf(b, [dims[0] ?? 1]);
      const ends = steps(b, y);
      if (format === "operators") {
        const all = [x, ...steps(b, from), ...weights.inputs];
        return named === "QLinearConv"
          ? b.add(named, [...all, ...ends, bias], attributes)
          : own(b, named, [...all, bias, ...ends], attributes);
      }
      const scales = weights.scales.map((scale) => Math.fround(from.scale * scale));
      const along = { axis: attribute.int(0) };
      const floats = [
        decoded(b, x, from),
        b.add("DequantizeLinear", [...weights.inputs], along),
        b.add("DequantizeLinear", [bias, b.floats(scales)], along),
      ];
      return b.add("QuantizeLinear", [b.add(op, floats, attributes), ...ends]);
    };
    const [wide, narrow] = [how(0.008), how(0.02)];
    const [x] = rounded(b, input("x"), how(1 / 127));
    const first = weighted("Conv", "QLinearConv", [x, how(1 / 127)], [8, 8, 3, 3], wide, pads);
    const depthwise = { ...pads, group: attribute.int(8) };
    const second = weighted("Conv", "QLinearConv", [first, wide], [8, 1, 3, 3], narrow, depthwise);
    const sum = layer("Add", "QLinearAdd", [[first, wide], [second, narrow]], narrow); // prettier-ignore
    const pooled = b.add("MaxPool", [sum], window);
    const joined = layer(
      "Concat",
      "QLinearConcat",
      [
        [pooled, narrow],
        [b.add("MaxPool", [second], window), narrow],
        [b.add("MaxPool", [first], window), wide],
      ],
      narrow,
      { axis: attribute.int(1) },
    );
    const gates = layer("Sigmoid", "QLinearSigmoid", [[joined, narrow]], how(1 / 255));
    const gated = layer("Mul", "QLinearMul", [[joined, narrow], [gates, how(1 / 255)]], narrow); // prettier-ignore
    const mean = layer("GlobalAveragePool", "QLinearGlobalAveragePool", [[gated, narrow]], narrow);
    const flat = b.add("Flatten", [mean]);
    const turned = { transB: attribute.int(1) };
    const scores = weighted("Gemm", "QGemm", [flat, narrow], [10, 24], wide, turned);
    const shares = layer("Softmax", "QLinearSoftmax", [[scores, wide]], softmax, {
      axis: attribute.int(-1),
      ...(format === "operators" && { opset: attribute.int(13) }),
    });
    return { y: decoded(b, shares, softmax) };
  });
}

it.each(["uint8", "int8"] as const)(
  "compiles either format of the quantizer to the same kernels, of %s",
  async (type) => {
    const engine = await exactEngine();
    const found = await compared(network("operators", type), 1 / 256, engine);
    const pairs = await compared(network("pairs", type), 1 / 256, engine);
    expect(found.kernels).toEqual(pairs.kernels);
    // All but what turns scores into shares is computed on bytes.
    const others = found.kernels.filter((kernel) => !kernel.endsWith("-i8"));
    expect(new Set(others)).toEqual(new Set(["copy", "fill", "softmax"]));
    expect(found.outputs).toEqual(pairs.outputs);
    // Sums, products and means are a step aside at times, and so are shares of what follows from them.
    expect(found.apart).toBeLessThan(2.001);
  },
);

it("computes on bytes what keeps their scale, a step aside where engines cut off what lies between two", async () => {
  const problem = fc.record({
    op: fc.constantFrom("ArgMax", "ArgMin", "ReduceMax", "ReduceMin", "Relu", "Resize", "Pad", "MaxPool"), // prettier-ignore
    dims: fc.tuple(size(1, 2), size(1, 4), size(2, 5), size(2, 5)),
    mode: fc.constantFrom("nearest", "linear"),
    hows,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, dims, mode, hows: { x: how } }) => {
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const [x] = rounded(b, input("x"), how);
        const zero = bytes(b, how.type, [how.zeroPoint]);
        const made: Record<string, () => ValueId> = {
          ArgMax: () => b.add(op, [x], { axis: attribute.int(2) }),
          ArgMin: () => b.add(op, [x], { axis: attribute.int(-1) }),
          ReduceMax: () => b.add(op, [x, b.ints([1])]),
          ReduceMin: () => b.add(op, [x, b.ints([2])], { keepdims: attribute.int(0) }),
          // Engines have it of signed bytes alone.
          Relu: () => (how.type === "int8" ? b.add(op, [x]) : b.add("MaxPool", [x], { kernel_shape: attribute.ints([1, 1]) })), // prettier-ignore
          Resize: () =>
            b.add(op, [x, null, b.floats([1, 1, 2, 1.5])], { mode: attribute.string(mode) }),
          Pad: () => b.add(op, [x, b.ints([0, 0, 1, 0, 0, 0, 0, 2]), zero]),
          MaxPool: () => b.add(op, [x], { kernel_shape: attribute.ints([2, 2]) }),
        };
        const value = made[op]?.();
        if (value === undefined) throw new Error(op);
        return { y: op.startsWith("Arg") ? value : decoded(b, value, how) };
      });
      const { apart } = await compared(graph, op.startsWith("Arg") ? 1 : how.scale);
      expect(apart).toBeLessThan(op === "Resize" && mode === "linear" ? 1.001 : 1e-6);
    }),
    { numRuns: cases(60) },
  );
});

it("says why it leaves what it has no words for", async () => {
  const of = async (
    build: (x: readonly [ValueId, ValueId, ValueId], b: Builder, given: ValueId) => ValueId,
  ): Promise<readonly string[]> => {
    const graph = graphOf(
      { x: ["float32", 1, 4, 4, 4], scale: ["float32"], z: ["int32", 4] },
      (input, b) => ({
        y: build(rounded(b, input("x"), u8(0.01)), b, input("scale")),
        z: b.add("Neg", [input("z")]),
      }),
    );
    const { obstacles } = await supportOf(graph, aot);
    return obstacles.map(({ op, reason }) => `${op}: ${reason}`);
  };
  const last = { channels_last: attribute.int(1) };
  const y = (b: Builder) => steps(b, u8(0.01));
  const weights = (b: Builder, scales: readonly number[]) =>
    [
      bytes(b, "int8", noiseBytes(16, 0), [4, 4, 1, 1]),
      b.floats(scales, scales.length === 1 ? [] : [scales.length]),
      bytes(b, "int8", [0]),
    ] as const;
  expect(await of((x, b) => own(b, "QLinearGlobalAveragePool", [...x, ...y(b)], last))).toEqual([
    expect.stringMatching(/^QLinearGlobalAveragePool: its channels are the last axis/),
  ]);
  expect(
    await of((x, b) => own(b, "QLinearConv", [...x, ...weights(b, [1]), ...y(b)], last)),
  ).toEqual([expect.stringMatching(/^QLinearConv: its channels are the last axis/)]);
  expect(await of((x, b, scale) => own(b, "QLinearSigmoid", [x[0], scale, x[2], ...y(b)]))).toEqual(
    ["QLinearSigmoid: its scales and zero points must be constant"],
  );
  expect(
    await of((x, b) => b.add("QLinearConv", [...x, ...weights(b, [1, 2, 3]), ...y(b)])),
  ).toEqual(["QLinearConv: its scales are neither one nor one for each channel of its result"]);
  expect(
    await of((x, b) => own(b, "QLinearAdd", [...x, x[0], b.floats([1, 2, 3, 4]), x[2], ...y(b)])),
  ).toEqual(["QLinearAdd: its scales are neither one nor one for each channel of its result"]);
  expect(
    await of((x, b) => {
      const rows = b.add("Flatten", [x[0]]);
      const matrix = [bytes(b, "int8", noiseBytes(64, 0), [64, 1]), x[1], bytes(b, "int8", [0])];
      return own(b, "QGemm", [rows, x[1], x[2], ...matrix, null, x[1]]);
    }),
  ).toEqual(["QGemm: its result has a scale and no zero point, or the other way round"]);
  expect(
    await of((x, b) => own(b, "QLinearConcat", [...y(b), ...x, x[0]], { axis: attribute.int(1) })),
  ).toEqual(["QLinearConcat: its axis is missing, or its inputs are not three for each part"]);
  expect(await of((x, b) => own(b, "QLinearSoftmax", [...x, ...y(b)]))).toEqual([
    "QLinearSoftmax: its rank or its opset is not known",
  ]);
  const beyond = { axis: attribute.int(4) };
  expect(await of((x, b) => own(b, "QLinearConcat", [...y(b), ...x], beyond))).toEqual([
    "QLinearConcat: it has no such axis",
  ]);
  const softmax = { opset: attribute.int(13), axis: attribute.int(4) };
  expect(await of((x, b) => own(b, "QLinearSoftmax", [...x, ...y(b)], softmax))).toEqual([
    "QLinearSoftmax: it has no such axis",
  ]);
});
