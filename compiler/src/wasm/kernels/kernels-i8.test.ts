import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { borderI8 } from "./border-i8.js";
import { centreI8 } from "./centre-i8.js";
import { depthwiseI8 } from "./depthwise-i8.js";
import { packedDepthwiseI8 } from "./depthwise-i8-weights.js";
import { joinI8 } from "./join-i8.js";
import type { Kernel } from "./kernel.js";
import {
  differenceOf,
  operandBytes,
  operands,
  seed,
  size,
  withoutBaselineCompiler,
} from "./kernel-case.test.support.js";
import { largestI8 } from "./largest-i8.js";
import { lookUpI8 } from "./look-up-i8.js";
import { matrixI8, packedI8Length } from "./matrix-i8.js";
import { meanI8 } from "./mean-i8.js";
import { quantizeI8 } from "./quantize-i8.js";
import { rangeI8 } from "./range-i8.js";
import { packedTerms, type Result, type Rounding, type SumResult } from "./rounding-i8.js";
import { termsI8 } from "./terms-i8.js";

withoutBaselineCompiler();

const rounding: fc.Arbitrary<Rounding> = fc.record({
  zeroPoint: size(0, 255),
  low: size(0, 60),
  high: size(61, 255),
  wide: fc.boolean(),
});
const curve = fc.record({
  kind: fc.constant("hard-swish" as const),
  slope: fc.double({ min: 0.001, max: 1, noNaN: true }),
});
const result: fc.Arbitrary<Result> = fc.oneof(
  rounding.map((each): Result => ({ kind: "bytes", ...each })),
  fc.tuple(rounding, curve).map(([each, own]): Result => ({ kind: "bytes", ...each, curve: own })),
  fc.constant<Result>({ kind: "floats" }),
);
const sumResult: fc.Arbitrary<SumResult> = fc.oneof(
  { weight: 3, arbitrary: result },
  { weight: 1, arbitrary: fc.constant<SumResult>({ kind: "integers" }) },
);
const activations = fc.constantFrom("7-bit" as const, "8-bit" as const);
const factor = fc.double({ min: 0.001, max: 2, noNaN: true }).map(Math.fround);
const up = (count: number): number => Math.ceil(count / 4) * 4;

/** A run of numbers that look random, from a seed. */
function random(from: number): () => number {
  let state = from | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 8;
  };
}

/** Every bit of memory, after activations of seven bits and terms were put where the kernel reads them. */
function expectExact<Options>(
  kernel: Kernel<Options>,
  options: Options,
  at: readonly number[],
  s: number,
  given: {
    readonly terms?: Int32Array;
    readonly weights?: Int8Array;
    readonly isSeven?: boolean;
    /** What bytes of the input are that are not random. */
    readonly fixed?: (at: number) => number | undefined;
  },
): void {
  const prepare = (integers: Int32Array): void => {
    const bytes = new Uint8Array(integers.buffer);
    const next = random(s);
    const [input = 0, weights = 0, terms = 0] = at;
    for (let i = 0; i < operandBytes - 64; i += 1)
      bytes[input + i] = given.fixed?.(i) ?? next() & (given.isSeven === true ? 127 : 255);
    if (given.weights !== undefined) bytes.set(new Uint8Array(given.weights.buffer), weights);
    if (given.terms !== undefined) integers.set(given.terms, terms / 4);
  };
  expect(differenceOf(kernel, options, at, s, prepare, 0)).toBeUndefined();
}

function termsOf(channels: number, s: number): Int32Array {
  const next = random(s + 1);
  const starts = Array.from({ length: channels }, () => (next() % 20001) - 10000);
  const factors = Array.from({ length: channels }, () => (next() % 1000) / 2 ** 20);
  return packedTerms(starts, factors, channels);
}

it("multiplies bytes as its reference does: tiles, panels, taps, tails, another tensor", () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 3),
    columns: size(1, 15),
    blocks: fc.option(size(1, 3), { nil: undefined }),
    taps: fc.array(size(1, 3), { maxLength: 2 }),
    run: size(1, 12).map((steps) => steps * 4),
    outputs: size(1, 21),
    activations,
    other: fc.option(fc.record({ factor, zeroPoint: size(0, 255) }), { nil: undefined }),
    result: sumResult,
    padded: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(
      problem,
      ({ batch, rows, columns: each, blocks, taps, run, outputs, seed: s, ...rest }) => {
        const other = rest.result.kind === "integers" ? undefined : rest.other;
        const columns = each * (blocks ?? 1);
        const bytes = rest.result.kind === "bytes" ? 1 : 4;
        const width = (rest.padded ? up(outputs) : outputs) * bytes;
        const depth = taps.reduce((product, count) => product * count, run);
        // Steps of the input overlap, as those of windows do.
        const options = {
          activations: rest.activations,
          result: rest.result,
          padded: rest.padded,
          ...(other !== undefined && { other }),
          ...(blocks !== undefined && { block: each }),
          batch: [{ count: batch, steps: [40, 0, 0, rows * columns * width, 0] }],
          rows: { count: rows, steps: [36, columns * width, 21] },
          columns: { count: columns, steps: [3, width, 5] },
          taps: taps.map((count, at) => ({ count, steps: [at === 0 ? 101 : 20] })),
          run,
          outputs,
        };
        fc.pre(packedI8Length(depth, outputs) < 8000 && batch * rows * columns * width < 8000);
        expectExact(matrixI8, options, operands(5), s, {
          terms: termsOf(outputs, s),
          isSeven: rest.activations === "7-bit",
        });
      },
    ),
    { numRuns: cases(300) },
  );
});

it("convolves channels of bytes as its reference does", () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 3),
    columns: size(1, 13),
    channels: size(1, 37),
    kernel: fc.tuple(size(1, 6), size(1, 7)),
    stride: size(1, 3),
    dilation: size(1, 2),
    activations,
    result,
    padded: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ batch, rows, columns, channels, kernel, seed: s, ...rest }) => {
      const { stride, dilation, padded, result: kind } = rest;
      const each = kind.kind === "bytes" ? 1 : 4;
      const width = (padded ? up(channels) : channels) * each;
      const pixel = up(channels);
      const options = {
        activations: rest.activations,
        result: kind,
        padded,
        channels,
        batch: [{ count: batch, steps: [16, 0, 0, rows * columns * width] }],
        rows: { count: rows, steps: [stride * pixel * 9, columns * width] },
        columns: { count: columns, steps: [stride * pixel, width] },
        taps: [
          { count: kernel[0], steps: [dilation * pixel * 9] },
          { count: kernel[1], steps: [dilation * pixel] },
        ] as const,
      };
      const next = random(s);
      const [tall, wide] = kernel;
      const all = Array.from({ length: channels * tall * wide }, () => (next() % 256) - 128);
      const weightOf = (c: number, row: number, column: number) =>
        all[(c * tall + row) * wide + column] ?? 0;
      const weights = packedDepthwiseI8(weightOf, options);
      fc.pre(batch * rows * columns * width < 8000 && weights.length < 8000);
      fc.pre(pixel * ((rows * stride + kernel[0] * dilation) * 9 + columns * stride + 16) < 8000);
      expectExact(depthwiseI8, options, operands(4), s, {
        weights,
        terms: termsOf(channels, s),
        isSeven: rest.activations === "7-bit",
      });
    }),
    { numRuns: cases(300) },
  );
});

it("convolves channels of bytes between borders, which are as they were said to be", () => {
  const problem = fc.record({
    batch: size(1, 2),
    height: size(1, 5),
    columns: size(1, 5),
    channels: size(1, 21),
    kernel: fc.tuple(size(1, 5), size(1, 5)),
    pads: fc.tuple(size(0, 4), size(0, 4)),
    stride: size(1, 3),
    value: size(0, 127),
    result,
    padded: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ batch, height, columns, channels, kernel, seed: s, ...rest }) => {
      const { stride, result: kind, padded, value } = rest;
      const [tall, wide] = kernel;
      const [before, after] = rest.pads;
      const all = before + height + after;
      fc.pre(all >= tall);
      const rows = Math.floor((all - tall) / stride) + 1;
      const width = (padded ? up(channels) : channels) * (kind.kind === "bytes" ? 1 : 4);
      const pixel = up(channels);
      const pitch = pixel * ((columns - 1) * stride + wide);
      const options = {
        activations: "7-bit" as const,
        border: { before, rows: height, value },
        result: kind,
        padded,
        channels,
        batch: [{ count: batch, steps: [all * pitch, 0, 0, rows * columns * width] }],
        rows: { count: rows, steps: [stride * pitch, columns * width] },
        columns: { count: columns, steps: [stride * pixel, width] },
        taps: [
          { count: tall, steps: [pitch] },
          { count: wide, steps: [pixel] },
        ] as const,
      };
      const next = random(s);
      const numbers = Array.from({ length: channels * tall * wide }, () => (next() % 256) - 128);
      const weightOf = (c: number, row: number, column: number) =>
        numbers[(c * tall + row) * wide + column] ?? 0;
      const weights = packedDepthwiseI8(weightOf, options);
      fc.pre(batch * rows * columns * width < 8000 && weights.length < 8000);
      fc.pre(batch * all * pitch < 8000);
      const isOutside = (at: number): boolean => {
        const row = Math.floor(at / pitch) % all;
        return at < batch * all * pitch && (row < before || row >= before + height);
      };
      expectExact(depthwiseI8, options, operands(4), s, {
        weights,
        terms: termsOf(channels, s),
        isSeven: true,
        fixed: (at) => (isOutside(at) ? value : undefined),
      });
    }),
    { numRuns: cases(200) },
  );
});

it("rounds floats to bytes as its reference does", () => {
  const problem = fc.record({
    outer: size(1, 4),
    lanes: size(1, 19),
    step: size(1, 4),
    scale: factor,
    rounding: rounding.map((each) => ({ ...each, wide: true })),
    channels: fc.option(size(2, 4), { nil: undefined }),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, lanes, scale, rounding: how, channels, seed: s, ...rest }) => {
      const step = channels ?? rest.step;
      const axes = [{ count: outer, steps: [lanes * 4, lanes * step] }];
      const beside = channels === undefined ? {} : { channels: { count: channels, step: 340 } };
      const options = { axes, lanes, step, scale: scale / 32, rounding: how, ...beside };
      expect(differenceOf(quantizeI8, options, operands(2), s, undefined, 0)).toBeUndefined();
      // A run has them at addresses.
      const at = operands(4);
      const given = { ...options, scale: "given" as const, rounding: { ...how, zeroPoint: 0 } };
      const prepare = (integers: Int32Array): void => {
        const [, , scaleAt = 0, zeroAt = 0] = at;
        new Float32Array(integers.buffer)[scaleAt / 4] = scale / 32;
        new Uint8Array(integers.buffer)[zeroAt] = how.zeroPoint;
      };
      expect(differenceOf(quantizeI8, given, at, s, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("looks up bytes and floats as its reference does", () => {
  const problem = fc.record({
    outer: size(1, 4),
    run: size(1, 19),
    step: size(1, 3),
    gives: fc.constantFrom("bytes" as const, "floats" as const),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, run, step, gives, seed: s }) => {
      const apart = step * (gives === "bytes" ? 1 : 4);
      const axes = [{ count: outer, steps: [run + 1, run * apart] }];
      const options = { axes, run, step: apart, gives };
      expect(differenceOf(lookUpI8, options, operands(3), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});

it("finds the largest bytes, and means of bytes, as their references do", () => {
  const problem = fc.record({
    outer: size(1, 4),
    // More than sums of 16 bits hold, too.
    taps: fc.oneof(fc.array(size(1, 5), { maxLength: 2 }), fc.tuple(size(1, 3), size(80, 600))),
    run: size(1, 37),
    start: size(-5000, 5000),
    factor,
    result,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, taps, run, seed: s, ...mean }) => {
      const axes = (each: number) => [{ count: outer, steps: [run + 3, run * each] }];
      const shared = {
        taps: taps.map((count, at) => ({ count, steps: [at === 0 ? 41 : 7] })),
        run,
      };
      const pool = { ...shared, axes: axes(1) };
      expect(differenceOf(largestI8, pool, operands(2), s, undefined, 0)).toBeUndefined();
      const each = mean.result.kind === "bytes" ? 1 : 4;
      const options = { ...shared, ...mean, axes: axes(each) };
      // Large bytes, so that sums of many are large.
      const next = random(s);
      const prepare = ({ buffer }: Int32Array): void => {
        const [input = 0] = operands(2);
        const bytes = new Uint8Array(buffer, input, operandBytes - 64);
        bytes.forEach((_, at) => (bytes[at] = 255 - (next() % 32)));
      };
      expect(differenceOf(meanI8, options, operands(2), s, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});

it("adds and multiplies tensors of bytes as its reference does", () => {
  const operand = fc.record({
    zeroPoint: size(0, 255),
    lies: fc.constantFrom("lanes" as const, "splat" as const),
  });
  const join = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), factors: fc.tuple(factor, factor) }),
    fc.record({ kind: fc.constant("multiply" as const), factor }),
  );
  const problem = fc.record({
    outer: size(1, 3),
    inner: size(1, 4),
    // Of the first and the second: is it the same all along the innermost axis?
    repeats: fc.tuple(fc.boolean(), fc.boolean()),
    run: size(1, 45),
    join,
    operands: fc.tuple(operand, operand),
    rounding,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, inner, repeats, run, seed: s, ...rest }) => {
      const steps = repeats.map((isSame) => (isSame ? 0 : run + 1));
      const axes = [
        { count: outer, steps: [inner * (run + 1), 7, inner * run] },
        { count: inner, steps: [...steps, run] },
      ];
      const options = { ...rest, run, axes };
      expect(differenceOf(joinI8, options, operands(3), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("finds the range of floats as its reference does, also where all of them are on one side of 0", () => {
  const problem = fc.record({
    outer: size(1, 4),
    lanes: size(1, 37),
    from: fc.constantFrom(-3, -1, 0, 2),
    times: fc.constantFrom(0, 1e-20, 1, 90),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, lanes, from, times, seed: s }) => {
      const options = { axes: [{ count: outer, steps: [lanes * 4 + 8] }], lanes };
      const at = operands(3);
      const prepare = ({ buffer }: Int32Array): void => {
        const [input = 0] = at;
        const own = new Float32Array(buffer, input, 512);
        // What lies between rows is beyond all that is among them.
        own.forEach((x, i) => (own[i] = i % (lanes + 2) < lanes ? (x + from) * times : 1e4));
      };
      expect(differenceOf(rangeI8, options, at, s, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("writes a byte of a run's around others as its reference does", () => {
  const problem = fc.record({ outer: size(1, 4), run: size(1, 50), seed });
  fc.assert(
    fc.property(problem, ({ outer, run, seed: s }) => {
      const options = { axes: [{ count: outer, steps: [run + 3] }], run };
      expect(differenceOf(borderI8, options, operands(2), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(60) },
  );
});

const factors = fc.constantFrom("none" as const, "one" as const, "each" as const);

it("makes terms of a run's zero point and factors as its reference does", () => {
  const problem = fc.record({ groups: size(1, 4), channels: size(1, 21), factors, seed });
  fc.assert(
    fc.property(problem, ({ seed: s, ...options }) => {
      expect(differenceOf(termsI8, options, operands(4), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});

it("takes zero points of weights off sums as its reference does", () => {
  const problem = fc.record({
    places: size(1, 5),
    groups: size(1, 3),
    channels: size(1, 21),
    factors,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ places, groups, seed: s, ...rest }) => {
      const own = rest.channels * 4;
      const sums = own + 4;
      const axes = [
        { count: places, steps: [groups * sums, 0, 0, groups * own] },
        { count: groups, steps: [sums, own, rest.factors === "each" ? own : 0, own] },
      ];
      const prepare = (integers: Int32Array): void => {
        const next = random(s);
        const [from = 0, zeros = 0] = operands(4);
        for (let i = 0; i < 500; i += 1) {
          integers[from / 4 + i] = (next() % 2_000_001) - 1_000_000;
          integers[zeros / 4 + i] = (next() % 256) - 128;
        }
      };
      const options = { ...rest, axes };
      expect(differenceOf(centreI8, options, operands(4), s, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});
