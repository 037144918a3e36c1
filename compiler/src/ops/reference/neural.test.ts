import { onnxArtifact, type Dtype, elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  edit,
  attribute,
  type Attributes,
  dim,
  Graph,
  newHeader,
  Tensor,
  tensorType,
} from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { denseOf } from "../elements/dense.js";
import { exactEngine } from "../../targets/exact-engine.test.support.js";
import { evaluateGraph } from "./execute.js";
import { inferNode } from "../shape/infer.js";

/** One node: its inputs (the first is fed, the others are constants), what it carries, and how many outputs. */
interface Problem {
  readonly op: string;
  readonly inputs: readonly (Dense | null)[];
  readonly attributes: Attributes;
  readonly outputs: number;
  /** Of integers that an engine may round the other way. */
  readonly slack?: number;
}

const seeded = (seed: number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
};

/** Random elements; integers in all of their small range. */
function random(dtype: Dtype, dims: readonly number[], seed: number, low = -1, high = 1): Dense {
  const next = seeded(seed + elementCount(dims));
  const whole = /int/.test(dtype);
  return denseOf(
    dtype,
    dims,
    Float64Array.from({ length: elementCount(dims) }, () =>
      whole ? Math.floor(low + next() * (high - low + 1)) : low + next() * (high - low),
    ),
  );
}

const int64 = (...values: number[]): Dense => denseOf("int64", [values.length], values);
const float32 = (...values: number[]): Dense => denseOf("float32", [values.length], values);
const scalar = (dtype: Dtype, value: number): Dense => denseOf(dtype, [], [value]);

function graphOf({ op, inputs, attributes, outputs }: Problem, symbolic: boolean): Graph {
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const ids = inputs.map((input, index) => {
        if (input === null) return null;
        if (index > 0)
          return editor.constant(`c${index}`, Tensor.of(input.type, input.dims, input.data));
        const shape = symbolic ? input.dims.map((_, axis) => dim.symbol(`d${axis}`)) : input.dims;
        return editor.addInput("x", tensorType(input.type, shape));
      });
      const names = Array.from({ length: outputs }, (_, index) => `y${index}`);
      for (const id of editor.add(op, ids, attributes, { outputs: names })) editor.addOutput(id);
    },
    { interface: true },
  );
  return graph;
}

async function check(problem: Problem): Promise<void> {
  const [x] = problem.inputs;
  if (x === null || x === undefined) throw new Error("the first input is fed");
  const graph = graphOf(problem, false);
  const { proto } = await encodeModel(graph);
  const engine = /Integer$|^QLinear/.test(problem.op) ? await exactEngine() : cpu();
  const session = await engine.load(onnxArtifact(proto));
  const expected = await session.run({ x });
  await session.dispose();
  const found = await evaluateGraph(graph, { x });
  const bindings = new Map(x.dims.map((size, axis) => [`d${axis}`, size]));
  const symbolic = graphOf(problem, true);
  graph.main.outputs.forEach((id, index) => {
    const { name, type } = graph.value(id);
    expectClose(found[name], expected[name], problem.slack ?? 0);
    // What inference said of fixed and of free sizes holds.
    const id2 = symbolic.main.outputs[index];
    const types = [type, id2 === undefined ? type : symbolic.value(id2).type];
    for (const inferred of types) {
      if (inferred.kind !== "tensor") throw new Error(`${name} has no inferred type`);
      expect(inferred.dtype).toBe(found[name]?.type);
      const sizes = inferred.shape?.map((size, axis) =>
        dim.isUnknown(size) ? found[name]?.dims[axis] : dim.substitute(size, bindings),
      );
      expect(sizes, "inferred shape").toEqual(found[name]?.dims);
    }
  });
}

function expectClose(found: Dense | undefined, expected: Dense | undefined, slack: number): void {
  expect(found?.type).toBe(expected?.type);
  expect(found?.dims).toEqual(expected?.dims);
  const floats = expected?.type.startsWith("float") === true;
  [...(expected?.data ?? [])].forEach((value, i) => {
    const [a, b] = [Number(found?.data[i]), Number(value)];
    const tolerance = floats ? 1e-5 + 1e-4 * Math.abs(b) : slack;
    if (!(a === b || Math.abs(a - b) <= tolerance))
      throw new Error(`[${i}]: ${a}, but onnxruntime gives ${b}`);
  });
}

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });
const maybe = fc.boolean();

/** Strides, dilations and some kind of padding for a kernel. */
const windowed = fc
  .record({
    rank: size(1, 3),
    pad: fc.constantFrom("explicit", "none", "SAME_UPPER", "SAME_LOWER", "VALID"),
  })
  .chain(({ rank, pad }) =>
    fc.record({
      rank: fc.constant(rank),
      pad: fc.constant(pad),
      batch: size(1, 2),
      sizes: list(rank, 5, 8),
      kernel: list(rank, 1, 3),
      strides: list(rank, 1, 3),
      dilations: list(rank, 1, pad === "explicit" || pad === "none" ? 2 : 1),
      pads: list(rank * 2, 0, 1),
      seed: fc.nat(),
    }),
  );
type Windowed = typeof windowed extends fc.Arbitrary<infer T> ? T : never;

/** Engines refuse a stride that jumps over elements where the padding is to keep the size. */
function stridesOf({ pad, strides, kernel }: Windowed): readonly number[] {
  return pad.startsWith("SAME")
    ? strides.map((stride, axis) => Math.min(stride, kernel[axis] ?? 1))
    : strides;
}

function windowAttributes(window: Windowed): Attributes {
  return {
    kernel_shape: attribute.ints(window.kernel),
    strides: attribute.ints(stridesOf(window)),
    dilations: attribute.ints(window.dilations),
    ...(window.pad === "explicit"
      ? {
          pads: attribute.ints(
            window.pads.map((pad, axis) =>
              Math.min(pad, (window.kernel[axis % window.rank] ?? 1) - 1),
            ),
          ),
        }
      : {}),
    ...(/^[SV]/.test(window.pad) ? { auto_pad: attribute.string(window.pad) } : {}),
  };
}

const convolution = fc.record({
  window: windowed,
  group: size(1, 2),
  depth: size(1, 2),
  maps: size(1, 2),
  bias: maybe,
});

const problems: Readonly<Record<string, fc.Arbitrary<Problem>>> = {
  Conv: convolution.map(({ window, group, depth, maps, bias }) => ({
    op: "Conv",
    inputs: [
      random("float32", [window.batch, depth * group, ...window.sizes], window.seed),
      random("float32", [maps * group, depth, ...window.kernel], window.seed + 1),
      ...(bias ? [random("float32", [maps * group], window.seed + 2)] : []),
    ],
    attributes: { ...windowAttributes(window), group: attribute.int(group) },
    outputs: 1,
  })),
  ConvTranspose: fc
    .record({ convolution, extra: maybe })
    .map(({ convolution: { window, group, depth, maps, bias }, extra }) => ({
      op: "ConvTranspose",
      inputs: [
        random("float32", [window.batch, depth * group, ...window.sizes], window.seed),
        random("float32", [depth * group, maps, ...window.kernel], window.seed + 1),
        ...(bias ? [random("float32", [maps * group], window.seed + 2)] : []),
      ],
      attributes: {
        ...windowAttributes(window),
        group: attribute.int(group),
        ...(extra
          ? { output_padding: attribute.ints(stridesOf(window).map((stride) => stride - 1)) }
          : {}),
      },
      outputs: 1,
    })),
  ConvInteger: convolution.map(({ window, group, depth, maps }) => ({
    op: "ConvInteger",
    inputs: [
      random("uint8", [window.batch, depth * group, ...window.sizes], window.seed, 0, 255),
      random("uint8", [maps * group, depth, ...window.kernel], window.seed + 1, 0, 255),
      scalar("uint8", 3),
      scalar("uint8", 120),
    ],
    attributes: { ...windowAttributes(window), group: attribute.int(group) },
    outputs: 1,
  })),
  QLinearConv: convolution.map(({ window, group, depth, maps, bias }) => ({
    op: "QLinearConv",
    inputs: [
      random("uint8", [window.batch, depth * group, ...window.sizes], window.seed, 0, 255),
      scalar("float32", 0.02),
      scalar("uint8", 128),
      random("int8", [maps * group, depth, ...window.kernel], window.seed + 1, -127, 127),
      random("float32", [maps * group], window.seed, 0.001, 0.01),
      random("int8", [maps * group], window.seed, 0, 0),
      scalar("float32", 0.1),
      scalar("uint8", 100),
      ...(bias ? [random("int32", [maps * group], window.seed + 2, -1000, 1000)] : []),
    ],
    attributes: { ...windowAttributes(window), group: attribute.int(group) },
    outputs: 1,
    slack: 1,
  })),
  MaxPool: fc
    .record({ window: windowed, ceil: maybe, indices: maybe })
    .map(({ window, ceil, indices }) => ({
      op: "MaxPool",
      inputs: [random("float32", [window.batch, 2, ...window.sizes], window.seed)],
      attributes: { ...windowAttributes(window), ceil_mode: attribute.int(ceil ? 1 : 0) },
      outputs: indices ? 2 : 1,
    })),
  AveragePool: fc
    .record({ window: windowed, ceil: maybe, pad: maybe })
    .map(({ window, ceil, pad }) => ({
      op: "AveragePool",
      inputs: [random("float32", [window.batch, 2, ...window.sizes], window.seed)],
      attributes: {
        ...windowAttributes(window),
        ceil_mode: attribute.int(ceil ? 1 : 0),
        count_include_pad: attribute.int(pad ? 1 : 0),
      },
      outputs: 1,
    })),
  MatMul: fc
    .record({
      left: list(3, 1, 3),
      batch: fc.constantFrom("none", "one", "same"),
      columns: size(1, 4),
      dtype: fc.constantFrom<Dtype>("float32", "int32", "int64"),
      seed: fc.nat(),
    })
    .map(({ left, batch, columns, dtype, seed }) => ({
      op: "MatMul",
      inputs: [
        random(dtype, left, seed, -5, 5),
        random(
          dtype,
          [
            ...(batch === "same" ? left.slice(0, 1) : batch === "one" ? [1] : []),
            left[2] ?? 1,
            columns,
          ],
          seed + 1,
          -5,
          5,
        ),
      ],
      attributes: {},
      outputs: 1,
    })),
  Gemm: fc
    .record({
      sizes: list(3, 1, 4),
      a: maybe,
      b: maybe,
      c: fc.constantFrom("none", "row", "column", "scalar"),
      seed: fc.nat(),
    })
    .map(({ sizes: [m = 1, k = 1, n = 1], a, b, c, seed }) => ({
      op: "Gemm",
      inputs: [
        random("float32", a ? [k, m] : [m, k], seed),
        random("float32", b ? [n, k] : [k, n], seed + 1),
        ...(c === "none"
          ? []
          : [random("float32", c === "row" ? [n] : c === "column" ? [m, 1] : [], seed + 2)]),
      ],
      attributes: {
        transA: attribute.int(a ? 1 : 0),
        transB: attribute.int(b ? 1 : 0),
        alpha: attribute.float(0.5),
        beta: attribute.float(2),
      },
      outputs: 1,
    })),
  MatMulInteger: fc
    .record({ sizes: list(3, 1, 4), perColumn: maybe, seed: fc.nat() })
    .map(({ sizes: [m = 1, k = 1, n = 1], perColumn, seed }) => ({
      op: "MatMulInteger",
      inputs: [
        random("uint8", [m, k], seed, 0, 255),
        random("int8", [k, n], seed, -128, 127),
        scalar("uint8", 9),
        perColumn ? random("int8", [n], seed, -5, 5) : scalar("int8", 2),
      ],
      attributes: {},
      outputs: 1,
    })),
  BatchNormalization: fc.record({ dims: list(4, 1, 3), seed: fc.nat() }).map(({ dims, seed }) => ({
    op: "BatchNormalization",
    inputs: [
      random("float32", dims, seed),
      ...[1, 2, 3, 4].map((index) => random("float32", [dims[1] ?? 1], seed + index, 0.1, 2)),
    ],
    attributes: { epsilon: attribute.float(1e-3) },
    outputs: 1,
  })),
  LayerNormalization: fc
    .record({ dims: list(3, 2, 4), axis: size(-2, 2), bias: maybe, seed: fc.nat() })
    .map(({ dims, axis, bias, seed }) => ({
      op: "LayerNormalization",
      inputs: [
        random("float32", dims, seed),
        ...(bias ? [1, 2] : [1]).map((index) => random("float32", dims.slice(axis), seed + index)),
      ],
      attributes: { axis: attribute.int(axis) },
      outputs: 1,
    })),
  InstanceNormalization: fc
    .record({ dims: list(4, 2, 3), seed: fc.nat() })
    .map(({ dims, seed }) => ({
      op: "InstanceNormalization",
      inputs: [
        random("float32", dims, seed),
        ...[1, 2].map((index) => random("float32", [dims[1] ?? 1], seed + index)),
      ],
      attributes: { epsilon: attribute.float(1e-3) },
      outputs: 1,
    })),
  LRN: fc
    .record({ dims: list(4, 1, 6), half: size(0, 2), seed: fc.nat() })
    .map(({ dims, half, seed }) => ({
      op: "LRN",
      inputs: [random("float32", dims, seed)],
      attributes: {
        size: attribute.int(half * 2 + 1),
        alpha: attribute.float(0.5),
        bias: attribute.float(2),
      },
      outputs: 1,
    })),
  Softmax: fc
    .record({
      op: fc.constantFrom("Softmax", "LogSoftmax", "Hardmax"),
      dims: list(3, 1, 4),
      axis: size(-3, 2),
      seed: fc.nat(),
    })
    .map(({ op, dims, axis, seed }) => ({
      op,
      inputs: [random("float32", dims, seed, -4, 4)],
      attributes: { axis: attribute.int(axis) },
      outputs: 1,
    })),
  LSTM: fc
    .record({
      sizes: list(4, 1, 3),
      direction: fc.constantFrom("forward", "reverse", "bidirectional"),
      states: maybe,
      peepholes: maybe,
      seed: fc.nat(),
    })
    .map(({ sizes, direction, states, peepholes, seed }) =>
      recurrent("LSTM", 4, sizes, direction, states, peepholes, seed, {}),
    ),
  GRU: fc
    .record({
      sizes: list(4, 1, 3),
      direction: fc.constantFrom("forward", "reverse", "bidirectional"),
      states: maybe,
      before: maybe,
      seed: fc.nat(),
    })
    .map(({ sizes, direction, states, before, seed }) =>
      recurrent("GRU", 3, sizes, direction, states, false, seed, {
        linear_before_reset: attribute.int(before ? 1 : 0),
      }),
    ),
  Resize: fc
    .record({
      dims: list(2, 2, 5),
      mode: fc.constantFrom("nearest", "linear", "cubic"),
      transformation: fc.constantFrom(
        "half_pixel",
        "pytorch_half_pixel",
        "asymmetric",
        "align_corners",
        "half_pixel_symmetric",
      ),
      nearest: fc.constantFrom("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
      by: fc.constantFrom("scales", "sizes"),
      factors: fc.constantFrom([2, 2], [0.5, 1], [1.5, 3], [0.7, 1.3]),
      seed: fc.nat(),
    })
    .map(({ mode, transformation, nearest, by, seed, ...shape }) => {
      // Nearest jumps: where a coordinate is not exact in binary, engines round it either way.
      const dims = mode === "nearest" ? [4, 2] : shape.dims;
      const factors =
        mode === "nearest" ? [(shape.factors[0] ?? 1) < 1 ? 0.5 : 2, 2] : shape.factors;
      return {
        op: "Resize",
        inputs: [
          random("float32", [1, 1, ...dims], seed),
          null,
          // With scales, onnxruntime aligns to the rounded size, ONNX to the exact one.
          ...(by === "scales" && transformation !== "align_corners"
            ? [float32(1, 1, ...factors)]
            : [
                null,
                int64(
                  1,
                  1,
                  ...dims.map((length, axis) =>
                    Math.max(1, Math.floor(length * (factors[axis] ?? 1))),
                  ),
                ),
              ]),
        ],
        attributes: {
          mode: attribute.string(mode),
          coordinate_transformation_mode: attribute.string(transformation),
          ...(mode === "nearest" ? { nearest_mode: attribute.string(nearest) } : {}),
        },
        outputs: 1,
      };
    }),
  QuantizeLinear: fc
    .record({
      dims: list(3, 1, 4),
      axis: fc.option(size(0, 2)),
      dtype: fc.constantFrom<Dtype>("uint8", "int8", "int16", "uint16"),
      seed: fc.nat(),
    })
    .map(({ dims, axis, dtype, seed }) => ({
      op: "QuantizeLinear",
      inputs: [
        random("float32", dims, seed, -9, 9),
        random("float32", axis === null ? [] : [dims[axis] ?? 1], seed, 0.01, 0.1),
        random(dtype, axis === null ? [] : [dims[axis] ?? 1], seed, 0, 9),
      ],
      attributes: axis === null ? {} : { axis: attribute.int(axis) },
      outputs: 1,
    })),
  DequantizeLinear: fc
    .record({
      dims: list(2, 1, 3),
      block: size(0, 2),
      dtype: fc.constantFrom<Dtype>("uint8", "int8"),
      seed: fc.nat(),
    })
    .map(({ dims: [rows = 1, columns = 1], block, dtype, seed }) => {
      const width = block === 0 ? columns : columns * 16;
      const scales = block === 0 ? [columns] : [rows, columns];
      return {
        op: "DequantizeLinear",
        inputs: [
          random(dtype, [rows, width], seed, dtype.startsWith("u") ? 0 : -8, 7),
          random("float32", scales, seed, 0.01, 0.1),
          random(dtype, scales, seed, 0, 3),
        ],
        attributes: {
          axis: attribute.int(1),
          ...(block === 0 ? {} : { block_size: attribute.int(16) }),
        },
        outputs: 1,
      };
    }),
  DynamicQuantizeLinear: fc
    .record({
      dims: list(2, 1, 5),
      low: fc.constantFrom(-3, 0, 1),
      high: fc.constantFrom(0, 5),
      seed: fc.nat(),
    })
    .map(({ dims, low, high, seed }) => ({
      op: "DynamicQuantizeLinear",
      inputs: [random("float32", dims, seed, low, high)],
      attributes: {},
      outputs: 3,
    })),
  NonMaxSuppression: fc
    .record({
      boxes: size(1, 8),
      classes: size(1, 3),
      limit: size(0, 3),
      threshold: maybe,
      centred: maybe,
      seed: fc.nat(),
    })
    .map(({ boxes, classes, limit, threshold, centred, seed }) => ({
      op: "NonMaxSuppression",
      inputs: [
        random("float32", [1, boxes, 4], seed, 0, 1),
        random("float32", [1, classes, boxes], seed + 1, 0, 1),
        int64(limit),
        float32(0.3),
        ...(threshold ? [float32(0.4)] : []),
      ],
      attributes: { center_point_box: attribute.int(centred ? 1 : 0) },
      outputs: 1,
    })),
};

function recurrent(
  op: string,
  gates: number,
  [sequence = 1, batch = 1, width = 1, hidden = 1]: readonly number[],
  direction: string,
  states: boolean,
  peepholes: boolean,
  seed: number,
  more: Attributes,
): Problem {
  const directions = direction === "bidirectional" ? 2 : 1;
  const state = () => (states ? random("float32", [directions, batch, hidden], seed + 9) : null);
  return {
    op,
    inputs: [
      random("float32", [sequence, batch, width], seed),
      random("float32", [directions, gates * hidden, width], seed + 1),
      random("float32", [directions, gates * hidden, hidden], seed + 2),
      random("float32", [directions, 2 * gates * hidden], seed + 3),
      null,
      state(),
      ...(op === "LSTM"
        ? [state(), ...(peepholes ? [random("float32", [directions, 3 * hidden], seed + 4)] : [])]
        : []),
    ],
    attributes: {
      hidden_size: attribute.int(hidden),
      direction: attribute.string(direction),
      ...more,
    },
    outputs: op === "LSTM" ? 3 : 2,
  };
}

describe("evaluation is what onnxruntime computes, and inference says so before", () => {
  test.each(Object.entries(problems))("%s", async (_, problem) => {
    await fc.assert(fc.asyncProperty(problem, check), { numRuns: 60 });
  });

  // What two boxes have in common is a quarter as floats, and more than that in doubles.
  test("NonMaxSuppression of boxes that overlap by the threshold", async () => {
    const boxes = [0.9, 1.8, 0.1, 0.3, 0.3, 0.4, 0.6, 1.4];
    await check({
      op: "NonMaxSuppression",
      inputs: [
        denseOf("float32", [1, 2, 4], boxes),
        denseOf("float32", [1, 1, 2], [1, 0.5]),
        int64(2),
        float32(0.25),
      ],
      attributes: {},
      outputs: 1,
    });
  });

  test("NonMaxSuppression without a threshold, which keeps a score of −∞", async () => {
    await check({
      op: "NonMaxSuppression",
      inputs: [
        denseOf("float32", [1, 2, 4], [0, 0, 1, 1, 2, 2, 3, 3]),
        denseOf("float32", [1, 1, 2], [0.5, -Infinity]),
        int64(2),
      ],
      attributes: {},
      outputs: 1,
    });
  });
});
