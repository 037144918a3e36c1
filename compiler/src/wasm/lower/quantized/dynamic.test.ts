import { elementCount, type Tensors } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attributes, type Graph, Tensor, type ValueId } from "../../../ir/index.js";
import { evaluateGraph } from "../../../ops/index.js";
import { run } from "../../../passes/quantization/engine-case.test.support.js";
import { simplifyGraph } from "../../../passes/simplify.js";
import { type Builder, type Declared, graphOf } from "../../../rules/rule-case.test.support.js";
import { exactEngine } from "../../../targets/exact-engine.test.support.js";
import { cases } from "../../cases.test.support.js";
import { planOf, refusalsOf } from "../../compile.js";
import { enginesHere, withoutBaselineCompiler } from "../../kernels/kernel-case.test.support.js";
import { feedsFor, noise, runModule } from "../../run-model.test.support.js";
import { differenceToReferences } from "./exactness.test.support.js";

withoutBaselineCompiler();

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

type Bytes = "uint8" | "int8";

/** Between which numbers an input's floats lie: also all above 0, all below, all 0. */
const range = fc.constantFrom<readonly [number, number]>(
  [-1, 1],
  [-0.3, 7],
  [2, 3],
  [-9, -4],
  [0, 0],
);

interface Zeros {
  readonly count: "none" | "one" | "each";
  /** Such that weights without it have eight bits, or nine. */
  readonly middle: boolean;
}

const zeros: fc.Arbitrary<Zeros> = fc.record({
  count: fc.constantFrom("none" as const, "one" as const, "each" as const),
  middle: fc.boolean(),
});
const type = fc.constantFrom<Bytes>("uint8", "int8");

function bytes(b: Builder, of: Bytes, values: readonly number[], dims: readonly number[]): ValueId {
  const data = of === "uint8" ? Uint8Array.from(values) : Int8Array.from(values);
  return b.editor.constant("q", Tensor.of(of, dims, data));
}

/** Weights of all values that there are, and their zero points. */
function weightsOf(
  b: Builder,
  of: Bytes,
  dims: readonly number[],
  channels: number,
  { count, middle }: Zeros,
): readonly [ValueId, ValueId | null] {
  const first = of === "uint8" ? 0 : -128;
  const values = [...noise(elementCount(dims), 7 + elementCount(dims))].map(
    (x) => first + Math.floor(((x + 1) / 2) * 255.99),
  );
  const own = of === "uint8" ? 128 : 0;
  const each = Array.from({ length: count === "each" ? channels : 1 }, (_, at) =>
    middle ? own : own + 40 - 7 * (at % 13),
  );
  const shape = count === "each" ? [channels] : [];
  return [bytes(b, of, values, dims), count === "none" ? null : bytes(b, of, each, shape)];
}

/** The Cast and the Mul behind a sum, by one factor or one for each channel. */
function scaledBy(
  b: Builder,
  sum: ValueId,
  by: "one" | "each",
  scale: ValueId,
  shape: readonly number[],
): ValueId {
  const factors = Array.from({ length: by === "each" ? elementCount(shape) : 1 }, (_, at) =>
    Math.fround(0.003 + at / 900),
  );
  const all = b.add("Mul", [scale, b.floats(factors, by === "each" ? shape : [])]);
  return b.add("Mul", [b.add("Cast", [sum], { to: attribute.int(1) }), all]);
}

/**
 * Both modules compute integers to the bit as references do and as onnxruntime does, where that takes the node; floats
 * within rounding.
 * @returns the kernels of the plan
 */
async function expectAgreement(
  graph: Graph,
  [low, high]: readonly [number, number] = [-1, 1],
  runsThere = true,
): Promise<readonly string[]> {
  await simplifyGraph(graph, {});
  const plan = await planOf(graph);
  const drawn = feedsFor(plan, 3, [0, 255]);
  const feeds: Tensors = Object.fromEntries(
    Object.entries(drawn).map(([name, tensor]) => {
      const { data } = tensor;
      if (!(data instanceof Float32Array)) return [name, tensor];
      const within = data.map((x) => low + ((x + 1) / 2) * (high - low));
      return [name, { ...tensor, data: within }];
    }),
  );
  const expected = await evaluateGraph(graph, feeds);
  const others = runsThere ? [await run(graph, feeds, await exactEngine())] : [];
  for (const engine of enginesHere) {
    expect(differenceToReferences(plan, feeds, engine)).toBeUndefined();
    const own = runModule(plan, feeds, engine, true);
    for (const each of [expected, ...others]) expectClose(own, each);
  }
  return plan.steps.map(({ kernel }) => kernel);
}

function expectClose(own: Tensors, expected: Tensors): void {
  for (const [name, { data, dims, type: dtype }] of Object.entries(expected)) {
    const other = own[name];
    expect(other?.dims).toEqual(dims);
    expect(other?.type).toBe(dtype);
    const numbers = Array.from(data, Number);
    const most = numbers.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
    const slack = dtype === "float32" ? 1e-6 * most : 0;
    numbers.forEach((x, at) => {
      const found = Number(other?.data[at]);
      if (!(Math.abs(found - x) <= slack)) throw new Error(`${name}[${at}] is ${found}, not ${x}`);
    });
  }
}

it("rounds floats by the range that a run finds, whatever it is and however they lie", async () => {
  const problem = fc.record({
    dims: fc.array(size(1, 7), { minLength: 1, maxLength: 4 }),
    turned: fc.boolean(),
    range,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, turned, range: between }) => {
      const graph = graphOf({ x: ["float32", ...dims] }, (inputOf, b) => {
        const x = turned ? b.add("Transpose", [inputOf("x")]) : inputOf("x");
        const [q, scale, zero] = b.many("DynamicQuantizeLinear", 3, [x]);
        if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
        return { q, scale, zero };
      });
      await expectAgreement(graph, between);
    }),
    { numRuns: cases(24) },
  );
}, 120_000);

it("multiplies rows of bytes with matrices of bytes: zero points, batches, what follows", async () => {
  const problem = fc.record({
    batch: fc.array(size(1, 3), { maxLength: 2 }),
    rows: size(1, 9),
    depth: size(1, 27),
    columns: size(1, 21),
    type,
    zeros,
    range,
    input: fc.constantFrom("rounded", "given", "given-zero", "no-zero"),
    by: fc.constantFrom("one", "each", "other", "none"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, rows, depth, columns, input, by, ...p }) => {
      const dims = [...batch, rows, depth];
      const inputs: Readonly<Record<string, Declared>> =
        input === "rounded"
          ? { x: ["float32", ...dims] }
          : { x: ["uint8", ...dims], z: ["uint8"], s: ["float32"] };
      const graph = graphOf(inputs, (inputOf, b) => {
        const [q, scale, zero] =
          input === "rounded"
            ? b.many("DynamicQuantizeLinear", 3, [inputOf("x")])
            : [inputOf("x"), inputOf("s"), inputOf("z")];
        if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
        const own =
          input === "no-zero" ? null : input === "given" ? bytes(b, "uint8", [77], []) : zero;
        const [w, weightZero] = weightsOf(b, p.type, [depth, columns], columns, p.zeros);
        const sum = b.add("MatMulInteger", [q, w, own, weightZero]);
        if (by === "none") return { sum };
        if (by !== "other") return { y: scaledBy(b, sum, by, scale, [columns]) };
        // Factors of rows, and a sum that somebody else reads.
        const factors = b.floats(
          Array.from({ length: rows }, (_, at) => Math.fround(0.01 + at / 100)),
          [rows, 1],
        );
        const y = b.add("Mul", [b.add("Cast", [sum], { to: attribute.int(1) }), factors]);
        return { y, scale: b.add("Mul", [scale, b.floats([2])]) };
      });
      const kernels = await expectAgreement(graph, p.range);
      expect(kernels).toContain("matrix-i8");
      const haveEightBits = p.zeros.count === "none" ? p.type === "int8" : p.zeros.middle;
      if (haveEightBits) expect(kernels).not.toContain("centre-i8");
    }),
    { numRuns: cases(75) },
  );
}, 120_000);

it("convolves bytes with weights of bytes: axes, groups, strides, dilations, pads, what follows", async () => {
  const problem = size(1, 2).chain((rank) =>
    fc.record({
      batch: size(1, 2),
      sizes: list(rank, 5, 9),
      kernel: list(rank, 1, 3),
      strides: list(rank, 1, 2),
      dilations: list(rank, 1, 2),
      pads: list(rank * 2, 0, 2),
      group: size(1, 3),
      depth: size(1, 9),
      maps: size(1, 9),
      type,
      zeros,
      range,
      input: fc.constantFrom("rounded", "given", "given-zero", "no-zero"),
      by: fc.constantFrom("one", "each", "none"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, sizes, kernel, group, depth, input, by, ...p }) => {
      const maps = p.maps * group;
      const dims = [batch, depth * group, ...sizes];
      const attributes: Attributes = {
        strides: attribute.ints(p.strides),
        dilations: attribute.ints(p.dilations),
        pads: attribute.ints(p.pads),
        group: attribute.int(group),
      };
      const inputs: Readonly<Record<string, Declared>> =
        input === "rounded"
          ? { x: ["float32", ...dims] }
          : { x: ["uint8", ...dims], z: ["uint8"], s: ["float32"] };
      const graph = graphOf(inputs, (inputOf, b) => {
        const [q, scale, zero] =
          input === "rounded"
            ? b.many("DynamicQuantizeLinear", 3, [inputOf("x")])
            : [inputOf("x"), inputOf("s"), inputOf("z")];
        if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
        const own =
          input === "no-zero" ? null : input === "given" ? bytes(b, "uint8", [77], []) : zero;
        const [w, weightZero] = weightsOf(b, p.type, [maps, depth, ...kernel], maps, p.zeros);
        const sum = b.add("ConvInteger", [q, w, own, weightZero], attributes);
        const shape = [1, maps, ...sizes.map(() => 1)];
        return by === "none" ? { sum } : { y: scaledBy(b, sum, by, scale, shape) };
      });
      // Only one zero point for all weights is what onnxruntime takes, and of int8 none but 0.
      const runsThere = p.zeros.count !== "each" && p.type === "uint8";
      expect(await expectAgreement(graph, p.range, runsThere)).toContain("matrix-i8");
    }),
    { numRuns: cases(90) },
  );
}, 120_000);

/** Bytes and what goes with them, convolved by weights of bytes. */
function convolved(
  b: Builder,
  x: ValueId,
  [dims, pad, group = 1]: readonly [readonly number[], number, number?],
): ValueId {
  const [q, scale, zero] = b.many("DynamicQuantizeLinear", 3, [x]);
  if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
  return convolvedBytes(b, [q, scale, zero], dims, { pad, group });
}

function convolvedBytes(
  b: Builder,
  [q, scale, zero]: readonly [ValueId, ValueId, ValueId],
  dims: readonly number[],
  { pad, group }: { readonly pad: number; readonly group: number },
): ValueId {
  const [maps = 1] = dims;
  const [w, weightZero] = weightsOf(b, "uint8", dims, maps, { count: "one", middle: false });
  const attributes = {
    pads: attribute.ints([pad, pad, pad, pad]),
    group: attribute.int(group),
  };
  const sum = b.add("ConvInteger", [q, w, zero, weightZero], attributes);
  const y = scaledBy(b, sum, "one", scale, []);
  return b.add("Add", [y, b.add("Reshape", [b.weights(maps), b.ints([1, maps, 1, 1])])]);
}

it("runs a network of them to the bit: bytes that several read, results that are joined, channels of their own", async () => {
  const graph = graphOf({ x: ["float32", 1, 3, 12, 13] }, (inputOf, b) => {
    const [q, scale, zero] = b.many("DynamicQuantizeLinear", 3, [inputOf("x")]);
    if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
    const read = [q, scale, zero] as const;
    const wide = convolvedBytes(b, read, [8, 3, 3, 3], { pad: 1, group: 1 });
    const wider = convolvedBytes(b, read, [5, 3, 5, 5], { pad: 2, group: 1 });
    const flat = convolvedBytes(b, read, [4, 3, 1, 1], { pad: 0, group: 1 });
    const joined = b.add("Relu", [
      b.add("Concat", [wide, wider, flat], { axis: attribute.int(1) }),
    ]);
    const pooled = b.add("MaxPool", [joined], {
      kernel_shape: attribute.ints([2, 2]),
      strides: attribute.ints([2, 2]),
    });
    const own = b.add("Relu", [convolved(b, pooled, [[17, 1, 3, 3], 1, 17])]);
    const image = convolved(b, own, [[6, 17, 1, 1], 0]);
    const [rows, rowScale, rowZero] = b.many("DynamicQuantizeLinear", 3, [
      b.add("Flatten", [image]),
    ]);
    if (rows === undefined || rowScale === undefined || rowZero === undefined)
      throw new Error("three");
    const [w, weightZero] = weightsOf(b, "int8", [216, 10], 10, { count: "none", middle: true });
    const sum = b.add("MatMulInteger", [rows, w, rowZero, weightZero]);
    return { y: scaledBy(b, sum, "each", rowScale, [10]) };
  });
  await expectAgreement(graph, [-0.3, 2]);
});

it("keeps weights as the bytes that they are", async () => {
  for (const of of ["uint8", "int8"] as const) {
    const graph = graphOf({ x: ["float32", 4, 64] }, (inputOf, b) => {
      const [q, scale, zero] = b.many("DynamicQuantizeLinear", 3, [inputOf("x")]);
      if (q === undefined || scale === undefined || zero === undefined) throw new Error("three");
      const [w, weightZero] = weightsOf(b, of, [64, 96], 96, { count: "one", middle: false });
      const sum = b.add("MatMulInteger", [q, w, zero, weightZero]);
      return { y: scaledBy(b, sum, "one", scale, []) };
    });
    await simplifyGraph(graph, {});
    const { constants, steps } = await planOf(graph);
    // Beside 64 × 96 of them, and as many of the sum that their zero point goes with, numbers by channel.
    const numbers = constants.reduce((sum, each) => sum + each.bytes.length, 0);
    expect(numbers).toBeLessThan(64 * 96 + 4 * 64 + 3 * 4 * 100);
    expect(steps.map(({ kernel }) => kernel)).toEqual([
      "range-i8",
      "quantize-i8",
      expect.any(String),
      "terms-i8",
      "matrix-i8",
      "centre-i8",
    ]);
  }
});

it("makes floats of bytes that are looked up: rows of an embedding", async () => {
  const graph = graphOf({ x: ["int64", 5] }, (inputOf, b) => {
    const [table] = weightsOf(b, "uint8", [9, 12], 12, { count: "none", middle: true });
    const rows = b.add("Gather", [table, b.add("Abs", [inputOf("x")])]);
    const steps = [b.floats([0.02]), bytes(b, "uint8", [119], [])];
    return { y: b.add("DequantizeLinear", [rows, ...steps]) };
  });
  const plan = await planOf(graph);
  const size = plan.constants.reduce((sum, each) => sum + each.bytes.length, 0);
  // Rows of whole vectors, and the number of each byte.
  expect(size).toBeLessThanOrEqual(9 * 16 + 256 * 4);
  const feeds: Tensors = {
    x: { type: "int64", dims: [5], data: BigInt64Array.of(0n, 8n, 3n, 3n, 1n) },
  };
  const expected = await evaluateGraph(graph, feeds);
  for (const engine of enginesHere) expectClose(runModule(plan, feeds, engine, true), expected);
});

/** A product of given operands, by the shapes and types of its inputs. */
function product(
  inputs: Readonly<Record<string, Declared>>,
  build: (b: Builder) => readonly (ValueId | null)[],
  op = "MatMulInteger",
): Graph {
  return graphOf(inputs, (inputOf, b) => ({
    y: b.add(op, [...Object.keys(inputs).map(inputOf), ...build(b)]),
  }));
}

const matrix = (b: Builder, ...dims: readonly number[]): ValueId =>
  weightsOf(b, "int8", dims, 1, { count: "none", middle: true })[0];

it.each([
  ["the weights must be constant", product({ x: ["uint8", 2, 3], w: ["uint8", 3, 4] }, () => [])],
  ["it computes with int8", product({ x: ["int8", 2, 3] }, (b) => [matrix(b, 3, 4)])],
  [
    "its zero point must be one uint8",
    product({ x: ["uint8", 2, 3] }, (b) => [matrix(b, 3, 4), bytes(b, "uint8", [1, 2], [2])]),
  ],
  [
    "the zero points of its weights must be constant, one or one for each channel of the result",
    product({ x: ["uint8", 2, 3] }, (b) => [
      matrix(b, 3, 4),
      null,
      bytes(b, "int8", [1, 2, 3], [3]),
    ]),
  ],
  [
    "it is compiled where the weights are one matrix, and multiply rows",
    product({ x: ["uint8", 2, 5, 3] }, (b) => [matrix(b, 2, 3, 4)]),
  ],
  [
    "it is compiled where the weights are one matrix, and multiply rows",
    product({ x: ["uint8", 3] }, (b) => [matrix(b, 3, 4)]),
  ],
  [
    "convolutions over one or two axes are compiled",
    product({ x: ["uint8", 1, 2, 3, 3, 3] }, (b) => [matrix(b, 2, 2, 1, 1, 1)], "ConvInteger"),
  ],
  [
    "the weights must be constant",
    product({ x: ["uint8", 1, 2, 5, 5], w: ["uint8", 2, 2, 3, 3] }, () => [], "ConvInteger"),
  ],
])("refuses: %s", async (why, graph) => {
  expect((await refusalsOf(graph)).map((refusal) => refusal.why)).toContain(why);
});
