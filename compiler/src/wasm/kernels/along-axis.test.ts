import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { cumulativeSum } from "./cumulative-sum.js";
import { elementBytes } from "./element.js";
import { extremumPlace } from "./extremum-place.js";
import { type IntegerFold, integerFold } from "./integer-fold.js";
import { differenceOf, operands, seed, size } from "./kernel-case.test.support.js";
import { progression } from "./progression.js";
import { top } from "./top.js";

const element = fc.constantFrom("f32" as const, "i32" as const, "i64" as const);

/** Small whole numbers, so that some are equal. */
function small(kind: "f32" | "i32" | "i64", draws: readonly number[]) {
  return (integers: Int32Array): void => {
    const [at = 0] = operands(1);
    const views = {
      f32: new Float32Array(integers.buffer),
      i32: integers,
      i64: new BigInt64Array(integers.buffer),
    };
    for (const [i, draw] of draws.entries()) {
      const place = at / elementBytes[kind] + i;
      if (kind === "i64") views.i64[place] = BigInt(draw);
      else views[kind][place] = draw;
    }
  };
}

const problem = fc.record({
  element,
  outer: size(1, 4),
  count: size(1, 9),
  isAcross: fc.boolean(),
  flags: fc.tuple(fc.boolean(), fc.boolean()),
  draws: fc.array(size(-3, 3), { minLength: 36, maxLength: 36 }),
  wanted: size(1, 9),
  seed,
});

it("sums up along an axis, in either direction, as its reference does", () => {
  fc.assert(
    fc.property(problem, ({ element: kind, outer, count, isAcross, flags, draws, ...p }) => {
      const bytes = elementBytes[kind];
      const [step, around] = isAcross ? [outer * bytes, bytes] : [bytes, count * bytes];
      const [exclusive, isBackwards] = flags;
      const direction = isBackwards ? -1 : 1;
      const options = {
        element: kind,
        axes: [{ count: outer, steps: [around, around] }],
        along: { count, steps: [direction * step, direction * step] },
        exclusive,
      };
      const at = operands(2).map((start) => start + (isBackwards ? (count - 1) * step : 0));
      const difference = differenceOf(cumulativeSum, options, at, p.seed, small(kind, draws), 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("counts from a number in steps as its reference does, and no number further", () => {
  fc.assert(
    fc.property(problem, ({ element: kind, count, draws: [start = 0, step = 0], ...p }) => {
      const at = operands(3);
      const prepare = (integers: Int32Array): void => {
        small(kind, [start])(integers);
        const place = (at[1] ?? 0) / elementBytes[kind];
        if (kind === "i64") new BigInt64Array(integers.buffer)[place] = BigInt(step);
        else if (kind === "i32") integers[place] = step;
        else new Float32Array(integers.buffer)[place] = step / 3;
      };
      const options = { element: kind, count };
      expect(differenceOf(progression, options, at, p.seed, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("finds the largest and the smallest along an axis as its reference does", () => {
  fc.assert(
    fc.property(problem, ({ element: kind, outer, count, isAcross, flags, draws, ...p }) => {
      const bytes = elementBytes[kind];
      const [step, around] = isAcross ? [outer * bytes, bytes] : [bytes, count * bytes];
      const [largest, last] = flags;
      const axes = [{ count: outer, steps: [around, 8] }];
      const options = { element: kind, axes, count, step, largest, last };
      const prepare = small(kind, draws);
      const difference = differenceOf(extremumPlace, options, operands(2), p.seed, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("sorts the first few of an axis as its reference does", () => {
  fc.assert(
    fc.property(problem, ({ element: kind, outer, count, isAcross, flags, draws, ...p }) => {
      const bytes = elementBytes[kind];
      const wanted = Math.min(p.wanted, count);
      const lay = (length: number, each: number) =>
        isAcross ? [outer * each, each] : [each, length * each];
      const layouts = [lay(count, bytes), lay(wanted, bytes), lay(wanted, 8)];
      const [input = 0, values = 0, places = 0] = layouts.map(([step = 0]) => step);
      const options = {
        element: kind,
        axes: [{ count: outer, steps: layouts.map(([, around = 0]) => around) }],
        count,
        steps: [input, values, places] as const,
        wanted,
        largest: flags[0],
      };
      const prepare = small(kind, draws);
      const difference = differenceOf(top, options, operands(3), p.seed, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(300) },
  );
});

it("folds integers as its reference does", () => {
  const fold = fc.constantFrom<IntegerFold>("sum", "product", "min", "max", "mean");
  fc.assert(
    fc.property(problem, fold, ({ element: kind, outer, count, draws, ...p }, chosen) => {
      fc.pre(kind !== "f32");
      const bytes = elementBytes[kind];
      const options = {
        element: kind,
        axes: [{ count: outer, steps: [bytes, bytes] }],
        taps: [{ count, steps: [outer * bytes] }],
        fold: chosen,
      };
      const prepare = p.isAcross ? small(kind, draws) : undefined;
      const difference = differenceOf(integerFold, options, operands(2), p.seed, prepare, 0);
      expect(difference).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});
