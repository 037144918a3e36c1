import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { blockTransform } from "./block-transform.js";
import { frame } from "./frame.js";
import { copy, type CopyAxis } from "./copy.js";
import { convert } from "./convert.js";
import { decodeF16 } from "./decode-f16.js";
import { blockOf, decodeI8 } from "./decode-i8.js";
import { depthwise } from "./depthwise.js";
import { dots, dotsLength } from "./dots.js";
import { type Element, elementBytes } from "./element.js";
import { type Epilogue, usesOther } from "./epilogue.js";
import { fill } from "./fill.js";
import { type IntegerFunction, integerMap } from "./integer-map.js";
import { interpolate } from "./interpolate.js";
import type { Fold } from "./fold.js";
import { laneCount, vectorsOf } from "./kernel.js";
import { cellFunction, differenceOf, operands, seed, size } from "./kernel-case.test.support.js";
import { layerNorm } from "./layer-norm.js";
import { lstmCell } from "./lstm-cell.js";
import { map, type Instruction } from "./map.js";
import { matrix } from "./matrix.js";
import { pack } from "./pack.js";
import { reduce } from "./reduce.js";
import { reduceLanes } from "./reduce-lanes.js";
import { softmax } from "./softmax.js";
import { softmaxAcross } from "./softmax-across.js";
import type { Comparison, Logic } from "./truth.js";
import { tableOf } from "./tiling.js";

const up = (lanes: number): number => vectorsOf(lanes) * laneCount;
const epilogue = fc.array(
  fc.constantFrom<Epilogue>(
    { kind: "relu" },
    { kind: "clip", low: -0.5, high: 1 },
    { kind: "silu" },
    { kind: "add-other" },
    { kind: "multiply-other" },
  ),
  { maxLength: 2 },
);

it("multiplies as its reference does: tiles, panels, taps, groups, tails", () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 3),
    columns: size(1, 15),
    taps: fc.array(size(1, 3), { maxLength: 2 }),
    run: size(1, 17),
    outputs: size(1, 21),
    bias: fc.boolean(),
    padded: fc.boolean(),
    listed: fc.boolean(),
    epilogue,
    seed,
  });
  fc.assert(
    fc.property(
      problem,
      ({ batch, rows, columns, taps, run, outputs, listed, seed: s, ...rest }) => {
        const width = rest.padded ? up(outputs) : outputs;
        const depth = taps.reduce((product, count) => product * count, run);
        // Steps of the input overlap, as those of windows do.
        const options = {
          ...rest,
          batch: [{ count: batch, steps: [40, 0, 0, rows * columns * width * 4, 0] }],
          rows: { count: rows, steps: [36, columns * width * 4, width * 4] },
          columns: { count: columns, steps: [8, width * 4, 4] },
          taps: taps.map((count, at) => ({ count, steps: [at === 0 ? 100 : 20] })),
          run: { count: run, step: 4 },
          outputs,
          panel: 2,
          ...(listed && { listed: true as const }),
        };
        fc.pre(depth * up(outputs) < 1900 && batch * rows * columns * width < 1900);
        const at = operands(listed ? 6 : 5);
        const table = tableOf(options.rows, options.columns, usesOther(rest.epilogue));
        const prepare = (integers: Int32Array) =>
          integers.set(listed ? table : [], (at[5] ?? 0) / 4);
        expect(differenceOf(matrix, options, at, s, prepare)).toBeUndefined();
      },
    ),
    { numRuns: cases(300) },
  );
});

it("multiplies along lanes as its reference does: tiles, taps, tails, one to three results", () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 3),
    columns: size(1, 19),
    taps: fc.array(size(1, 3), { maxLength: 2 }),
    run: size(1, 43),
    outputs: size(1, 3),
    bias: fc.boolean(),
    padded: fc.boolean(),
    epilogue,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ batch, rows, columns, taps, outputs, seed: s, ...rest }) => {
      const width = rest.padded ? 4 : outputs;
      const options = {
        ...rest,
        outputs,
        batch: [{ count: batch, steps: [40, 0, 0, rows * columns * width * 4, 0] }],
        rows: { count: rows, steps: [36, columns * width * 4, width * 4] },
        columns: { count: columns, steps: [8, width * 4, 4] },
        taps: taps.map((count, at) => ({ count, steps: [at === 0 ? 100 : 20] })),
      };
      const count = taps.reduce((product, each) => product * each, 1);
      fc.pre(dotsLength(count, rest.run, outputs) < 1900);
      expect(differenceOf(dots, options, operands(5), s)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("transforms blocks as its reference does", () => {
  const of = (width: number, ...numbers: readonly number[]) =>
    fc.array(fc.constantFrom(...numbers), { minLength: width, maxLength: width });
  const row = (width: number) =>
    fc.oneof(of(width, -1, 0, 1), of(width, -0.5, 0, 0.5), of(width, -5, -4, -1, 0, 1, 2, 8));
  // Rows that differ in the sign of every other number, and columns that are the same but for signs, are computed together.
  const mirrored = (width: number) =>
    row(width).map((own) => [own, own.map((by, at) => (at % 2 === 0 ? by : -by))]);
  const paired = (width: number) =>
    fc
      .array(fc.tuple(row(Math.ceil(width / 2)), of(Math.ceil(width / 2), -1, 1)), {
        minLength: 1,
        maxLength: 4,
      })
      .map((rows) =>
        rows.map(([own, signs]) =>
          own.flatMap((by, at) => [by, by * (signs[at] ?? 1)]).slice(0, width),
        ),
      );
  const problem = fc.record({
    counts: fc.tuple(size(1, 2), size(1, 2), size(1, 3)),
    vectors: size(1, 2),
    step: size(1, 3),
    last: fc.tuple(size(0, 3), size(0, 3)),
    map: fc.constantFrom("input" as const, "output" as const),
    matrix: size(1, 6).chain((width) =>
      fc.oneof(
        fc.array(row(width), { minLength: 1, maxLength: 4 }),
        fc.array(mirrored(width), { minLength: 1, maxLength: 2 }).map((rows) => rows.flat()),
        paired(width),
      ),
    ),
    bias: fc.boolean(),
    epilogue,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ counts, vectors, seed: s, ...rest }) => {
      const pixel = vectors * 16;
      const [images, rows, columns] = counts;
      // Places of a map: as many as the last block reaches.
      const side = 9;
      const steps = [side * side * pixel, side * pixel, pixel] as const;
      const each = images * rows * columns * pixel + 16;
      const options = { ...rest, counts, vectors, steps, each, other: steps };
      const places = [64, 8192, 40_960, 24_576, 28_672];
      // Sums are rounded by their largest terms, which others may take away: numbers below 2 by two rows, and by another number.
      const reach = (own: readonly number[]): number =>
        own.reduce((sum, by) => sum + Math.abs(by), 0);
      const largest = Math.max(...rest.matrix.map(reach));
      const within = Math.max(2e-5, 2 ** -22 * 4 * largest ** 2);
      const difference = differenceOf(blockTransform, options, places, s, undefined, within);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("writes zeros around maps as its reference does", () => {
  const problem = fc.record({
    count: size(1, 3),
    rows: size(1, 4),
    inside: size(0, 3),
    before: size(0, 4),
    between: size(0, 3),
    behind: size(0, 4),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ count, rows, inside, seed: s, ...rest }) => {
      const images = { count, step: 4096 };
      const options = { images, rows, inside: inside * 16, ...rest };
      expect(differenceOf(frame, options, operands(1), s)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});

it("convolves channels as its reference does", () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 4),
    columns: size(1, 9),
    vectors: size(1, 3),
    kernel: fc.tuple(size(1, 4), size(1, 4)),
    stride: size(1, 3),
    dilation: size(1, 2),
    bias: fc.boolean(),
    epilogue,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ batch, rows, columns, vectors, kernel, stride, dilation, ...rest }) => {
      const pixel = vectors * 16;
      const row = pixel * 12;
      const options = {
        batch: [{ count: batch, steps: [16, 0, 0, rows * columns * pixel, 0] }],
        rows: { count: rows, steps: [stride * row, columns * pixel, pixel] },
        columns: { count: columns, steps: [stride * pixel, pixel, 4] },
        vectors,
        taps: [
          { count: kernel[0], steps: [dilation * row] },
          { count: kernel[1], steps: [dilation * pixel] },
        ] as const,
        bias: rest.bias,
        epilogue: rest.epilogue,
      };
      fc.pre(batch * rows * columns * vectors * 4 < 1900);
      expect(differenceOf(depthwise, options, operands(5), rest.seed)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("computes elementwise with broadcasting as its reference does", () => {
  const instruction = fc.constantFrom<Instruction>(
    { binary: "add", x: { result: 0 }, y: { input: 1 } },
    { binary: "multiply", x: { input: 1 }, y: { constant: 0.75 } },
    { binary: "subtract", x: { constant: 1 }, y: { result: 0 } },
    { binary: "min", x: { result: 0 }, y: { input: 0 } },
    { binary: "max", x: { result: 0 }, y: { constant: 0.25 } },
    { binary: "prelu", x: { result: 0 }, y: { input: 1 } },
    { binary: "remainder", x: { result: 0 }, y: { constant: 0.375 } },
    { binary: "power", x: { result: 0 }, y: { constant: 2.25 } },
    { binary: "power", x: { result: 0 }, y: { constant: -3 } },
    { binary: "power", x: { constant: 2 }, y: { input: 1 } },
    { unary: { kind: "tanh" }, x: { result: 0 } },
    { unary: { kind: "gelu" }, x: { input: 0 } },
  );
  const problem = fc.record({
    outer: size(1, 4),
    inner: size(1, 5),
    lanes: size(1, 37),
    kinds: fc.tuple(fc.constantFrom("lanes" as const, "splat" as const), fc.boolean()),
    program: fc.array(instruction, { maxLength: 3 }),
    padded: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, inner, lanes, kinds, program, padded, seed: s }) => {
      const width = (padded ? up(lanes) : lanes) * 4;
      const repeated = kinds[1] ? 0 : 4;
      const options = {
        axes: [
          { count: outer, steps: [inner * width, repeated, inner * width] },
          { count: inner, steps: [width, 0, width] },
        ],
        lanes,
        inputs: ["lanes" as const, kinds[0]],
        program: [{ unary: { kind: "negate" as const }, x: { input: 0 } }, ...program],
        padded,
      };
      expect(differenceOf(map, options, operands(3), s)).toBeUndefined();
    }),
    { numRuns: cases(300) },
  );
});

it("compares, joins and chooses as its reference does", () => {
  const problem = fc.record({
    comparison: fc.constantFrom<Comparison>("equal", "less", "less-or-equal"),
    logic: fc.constantFrom<Logic>("and", "or", "exclusive-or"),
    length: size(2, 6),
    lanes: size(1, 37),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ comparison, logic, length, lanes, seed: s }) => {
      const program: readonly Instruction[] = [
        { unary: { kind: "round" }, x: { input: 0 } },
        { comparison, x: { result: 0 }, y: { constant: 1 } },
        { comparison, x: { input: 1 }, y: { result: 0 } },
        { logic, x: { result: 1 }, y: { result: 2 } },
        { choice: { result: 3 }, x: { input: 0 }, y: { input: 1 } },
        { number: { result: 3 } },
      ];
      const inputs = ["lanes", "lanes"] as const;
      const options = { axes: [], lanes, inputs, program: program.slice(0, length), padded: false };
      expect(differenceOf(map, options, operands(3), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("computes with integers as its reference does", () => {
  const problem = fc.record({
    element: fc.constantFrom("i32" as const, "i64" as const),
    function: fc.constantFrom<IntegerFunction>(
      ...(["add", "subtract", "multiply", "divide", "modulo", "remainder", "min", "max"] as const),
      ...(["negate", "absolute", "sign", "equal", "less", "less-or-equal", "choose"] as const),
    ),
    counts: fc.tuple(size(1, 4), size(1, 5)),
    isSmall: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ counts, isSmall, seed: s, ...options }) => {
      const isChoice = options.function === "choose";
      const isUnary = ["negate", "absolute", "sign"].includes(options.function);
      const at = operands(isChoice ? 4 : isUnary ? 2 : 3);
      const axes = [
        { count: counts[0], steps: at.map((_, index) => (index === 1 ? 0 : 64)) },
        { count: counts[1], steps: at.map(() => 8) },
      ];
      const prepare = (integers: Int32Array): void => {
        if (!isSmall && !isChoice) return;
        const longs = new BigInt64Array(integers.buffer);
        for (const [index, place] of at.entries())
          for (let i = 0; i < 40; i += 1) {
            const truth = isChoice && index === 0;
            const small = BigInt(truth ? i % 2 : ((i * 7 + index) % 9) - 4 || 5);
            if (truth || isSmall) longs[place / 8 + i] = small;
          }
      };
      const difference = differenceOf(integerMap, { ...options, axes }, at, s, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(300) },
  );
});

const fold = fc.constantFrom<Fold>(
  "sum",
  "product",
  "max",
  "min",
  "sum-of-squares",
  "sum-of-sizes",
);

it("reduces over axes and over lanes as its references do", () => {
  const problem = fc.record({
    axes: fc.array(size(1, 4), { maxLength: 2 }),
    taps: fc.array(size(1, 5), { maxLength: 2 }),
    lanes: size(1, 30),
    fold,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ axes, taps, lanes, fold: by, seed: s }) => {
      const after = [{ kind: "scale" as const, by: 0.25 }];
      const tapAxes = taps.map((count, at) => ({ count, steps: [at === 0 ? 208 : 32] }));
      const across = {
        axes: axes.map((count, at) => ({ count, steps: [16, at === 0 ? 64 : 16] })),
        taps: tapAxes,
        fold: by,
        after,
      };
      expect(differenceOf(reduce, across, operands(2), s)).toBeUndefined();
      const along = {
        axes: axes.map((count, at) => ({ count, steps: [12, at === 0 ? 20 : 4] })),
        taps: tapAxes,
        lanes,
        fold: by,
        after,
      };
      expect(differenceOf(reduceLanes, along, operands(2), s)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("normalizes rows as its references do: softmax both ways, layer norm", () => {
  const problem = fc.record({
    rows: size(1, 5),
    lanes: size(1, 41),
    logarithm: fc.boolean(),
    padded: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ rows, lanes, logarithm, padded, seed: s }) => {
      const width = (padded ? up(lanes) : lanes) * 4;
      const axes = [{ count: rows, steps: [lanes * 4, width] }];
      const soft = { axes, lanes, logarithm, padded };
      expect(differenceOf(softmax, soft, operands(2), s)).toBeUndefined();
      const across = {
        axes: [{ count: rows, steps: [16, 16] }],
        along: { count: Math.min(lanes, 20), steps: [rows * 16, rows * 16] },
        logarithm,
      };
      expect(differenceOf(softmaxAcross, across, operands(2), s)).toBeUndefined();
      // Runs of two or three elements can be alike but for rounding: nothing to normalize by.
      if (lanes < 4) return;
      const norm = { axes, lanes, epsilon: 1e-3, shift: logarithm, padded };
      expect(differenceOf(layerNorm, norm, operands(4), s)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("copies, repeats, gathers and fills as its references do, and writes nothing else", () => {
  const axis = fc.record({
    count: size(1, 8),
    table: fc.option(fc.array(size(0, 30), { minLength: 8, maxLength: 8 }), { nil: undefined }),
    step: size(0, 9),
  });
  const problem = fc.record({
    axes: fc.array(axis, { maxLength: 2 }),
    unit: fc.constantFrom(1 as const, 4 as const),
    run: size(1, 45),
    zeros: size(0, 3),
    element: fc.constantFrom<Element>("f32", "i32", "i64", "u8", "i8"),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ axes, unit, run, zeros, element, seed: s }) => {
      let output = (run + zeros) * 8;
      const tables: number[] = [];
      const inside = [...axes].reverse().map(({ count, table, step }): CopyAxis => {
        const own = output;
        output *= count;
        if (table === undefined) return { count, output: own, input: { step: step * 4 } };
        const at = tables.length * 4;
        tables.push(...table.map((place) => place * 4));
        return { count, output: own, input: { table: at } };
      });
      fc.pre(output < 8000);
      const at = operands(3);
      const prepare = (integers: Int32Array) => integers.set(tables, (at[2] ?? 0) / 4);
      const options = { axes: inside.reverse(), run: { unit, units: run, zeros } };
      expect(differenceOf(copy, options, at, s, prepare, 0)).toBeUndefined();
      const filled = {
        element,
        axes: inside.map(({ count, output: step }) => ({ count, steps: [step] })),
        run,
        value: zeros,
      };
      expect(differenceOf(fill, filled, operands(1), s, undefined, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("converts between all elements as its reference does", () => {
  const element = fc.constantFrom<Element>("f32", "i32", "i64", "u8", "i8");
  const problem = fc.record({ from: element, to: element, truth: fc.boolean(), seed });
  const counts = fc.tuple(size(1, 5), size(1, 9));
  fc.assert(
    fc.property(problem, counts, ({ seed: s, ...options }, [rows, columns]) => {
      const [read, write] = [elementBytes[options.from], elementBytes[options.to]];
      const axes = [
        { count: rows, steps: [read, (columns + 1) * write] },
        { count: columns, steps: [2 * read, write] },
      ];
      const prepare = (integers: Int32Array): void => {
        const [at = 0] = operands(2);
        // Small integers, and floats with a rest, beyond all integers and none.
        integers.set([3, 0, -7, -1, 0, 0], at / 4 + 6);
        new Float32Array(integers.buffer).set([1.75, -2.5, 1e30, -1e30, Number.NaN], at / 4);
      };
      const difference = differenceOf(convert, { ...options, axes }, operands(2), s, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(300) },
  );
});

it("decodes bytes in blocks of rows as its reference does, to the bit", () => {
  const block = fc.record({ rows: size(1, 9), steps: size(-1, 2) });
  const problem = fc.record({
    blocks: fc.array(block, { maxLength: 5 }),
    vectors: size(1, 8),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ seed: s, blocks, vectors }) => {
      const prepare = (integers: Int32Array): void => {
        const [, at = 0] = operands(4);
        let row = 0;
        const said = blocks.map(({ rows, steps }) => {
          const moved = Math.max(steps, -row);
          row += moved;
          return blockOf(rows, moved * vectors);
        });
        integers.set([...said, 0], at / 4);
      };
      const difference = differenceOf(decodeI8, { vectors }, operands(4), s, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("makes floats of finite float16 numbers as its reference does, to the bit", () => {
  const half = fc.tuple(fc.boolean(), size(0, 0x7bff));
  const problem = fc.record({ halves: fc.array(half, { maxLength: 60 }), seed });
  fc.assert(
    fc.property(problem, ({ halves, seed: s }) => {
      const [from = 0, to = 0] = operands(2);
      const words = halves.map(([isNegative, rest]) => (isNegative ? 0x8000 : 0) | rest);
      const bytes = up(words.length) * 2;
      const prepare = (integers: Int32Array): void => {
        const own = new Uint16Array(integers.buffer, from, up(words.length)).fill(0);
        own.set(words);
      };
      const at = [from, from + bytes, to];
      expect(differenceOf(decodeF16, {}, at, s, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("packs matrices in any order as its reference does", () => {
  const problem = fc.record({
    batch: size(1, 3),
    depth: size(1, 13),
    outputs: size(1, 27),
    order: fc.constantFrom("rows", "columns", "neither"),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ batch, depth, outputs, order, seed: s }) => {
      const steps = {
        rows: { depthStep: outputs * 4, outputStep: 4 },
        columns: { depthStep: 4, outputStep: depth * 4 },
        neither: { depthStep: 8, outputStep: depth * 8 },
      }[order];
      const packed = depth * up(outputs) * 4;
      const options = {
        ...steps,
        batch: [{ count: batch, steps: [12, packed] }],
        depth,
        outputs,
        panel: 2,
      };
      expect(differenceOf(pack, options, operands(2), s)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("makes an LSTM's cell of its gates as its reference does", () => {
  const problem = fc.record({
    items: size(1, 4),
    hidden: size(1, 23),
    hasCell: fc.boolean(),
    gate: cellFunction,
    candidate: cellFunction,
    shown: cellFunction,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ items, seed: s, ...cell }) => {
      const { hidden } = cell;
      const gates = 4 * up(hidden) * 4;
      const options = {
        batch: [{ count: items, steps: [gates, 8, hidden * 4, hidden * 4] }],
        ...cell,
      };
      expect(differenceOf(lstmCell, options, operands(4), s)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});

it("sums places by weight as its reference does", () => {
  const problem = fc.record({
    outer: size(1, 3),
    places: size(1, 6),
    taps: size(1, 4),
    vectors: size(1, 5),
    from: fc.array(size(0, 9), { minLength: 24, maxLength: 24 }),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ outer, places, taps, vectors, from, seed: s }) => {
      const at = operands(3);
      const table = new Int32Array(places * 2 * taps);
      const weights = new Float32Array(table.buffer);
      for (let entry = 0; entry < places * taps; entry += 1) {
        const [place, tap] = [Math.floor(entry / taps), entry % taps];
        table[place * 2 * taps + tap] = (from[entry] ?? 0) * vectors * 16;
        weights[place * 2 * taps + taps + tap] = (from[entry] ?? 0) / 8 - 0.5;
      }
      const prepare = (integers: Int32Array) => integers.set(table, (at[2] ?? 0) / 4);
      const options = {
        axes: [{ count: outer, steps: [vectors * 16, places * vectors * 16] }],
        places: { count: places, step: vectors * 16 },
        taps,
        vectors,
      };
      expect(differenceOf(interpolate, options, at, s, prepare)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});
