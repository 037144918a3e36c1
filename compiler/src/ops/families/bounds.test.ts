import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Dim, dim } from "../../ir/index.js";
import { isNonNegative, isPositive } from "./bounds.js";
import { larger, smaller } from "./symbolic.js";

const names = ["N", "H"];

/** Expressions over N, H and the numbers, as shapes make them. */
const expressions: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: -9, max: 9 }),
    fc.constantFrom(...names).map((name) => dim.symbol(name)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => dim.add(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => dim.subtract(a, b)),
    fc.tuple(tie("dim"), fc.integer({ min: -3, max: 3 })).map(([a, b]) => dim.multiply(a, b)),
    fc.tuple(tie("dim"), fc.integer({ min: 1, max: 5 })).map(([a, b]) => dim.floorDiv(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => dim.max(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => dim.min(a, b)),
  ),
})).dim;

const sizes = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }));

function valueOf(expression: Dim, given: readonly number[]): number {
  return Number(
    dim.substitute(expression, new Map(names.map((name, index) => [name, given[index] ?? 0]))),
  );
}

test("what is proven of a dim holds for every size", () => {
  const proven = { nonNegative: 0, positive: 0 };
  fc.assert(
    fc.property(expressions, sizes, (expression, given) => {
      const value = valueOf(expression, given);
      if (isNonNegative(expression)) {
        proven.nonNegative += 1;
        expect(value).toBeGreaterThanOrEqual(0);
      }
      if (isPositive(expression)) {
        proven.positive += 1;
        expect(value).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 2000 },
  );
  expect(proven.positive).toBeGreaterThan(200);
  expect(proven.nonNegative).toBeGreaterThan(proven.positive);
});

test("the larger and the smaller of two dims are so for every size", () => {
  fc.assert(
    fc.property(expressions, expressions, sizes, (a, b, given) => {
      const [x, y] = [valueOf(a, given), valueOf(b, given)];
      expect(valueOf(larger(a, b), given)).toBe(Math.max(x, y));
      expect(valueOf(smaller(a, b), given)).toBe(Math.min(x, y));
    }),
    { numRuns: 1000 },
  );
});

test("a sequence is no shorter than its first 512 tokens", () => {
  const sequence = dim.symbol("sequence");
  expect(larger(sequence, smaller(512, sequence))).toBe(sequence);
  expect(isPositive(dim.add(smaller(512, sequence), 1))).toBe(true);
  expect(isPositive(smaller(512, sequence))).toBe(false);
  expect(isNonNegative(dim.subtract(sequence, 1))).toBe(false);
});
