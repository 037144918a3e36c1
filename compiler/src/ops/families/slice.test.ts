import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Dim, dim } from "../../ir/index.js";
import { cut } from "./slice.js";

const [n, p] = [dim.symbol("N"), dim.symbol("P")];
const end = 2 ** 53;

/** A sum of sizes and a number, of either sign. */
const sums: fc.Arbitrary<Dim> = fc
  .tuple(...[-2, -2, -9].map((least) => fc.integer({ min: least, max: -least })))
  .map(([a, b, c]) => dim.add(dim.multiply(a ?? 0, n), dim.multiply(b ?? 0, p), c ?? 0));
const bounds = fc.oneof(
  sums,
  fc.tuple(sums, sums).map(([a, b]) => dim.max(a, b)),
  fc.tuple(sums, sums).map(([a, b]) => dim.min(a, b)),
  fc.constantFrom(end, -end),
);
const axes = fc.constantFrom<Dim>(p, dim.add(p, n), dim.add(p, 3), dim.subtract(p, 1), 0, 1, 7);
const steps = fc.constantFrom(1, 1, 2, 3, -1, -2);
const sizes = fc.tuple(fc.nat(12), fc.nat(12));

test("what a slice takes of sizes that are not known is what it takes of every one", () => {
  let told = 0;
  fc.assert(
    fc.property(axes, bounds, bounds, steps, sizes, (size, from, to, step, [one, two]) => {
      const given = new Map([
        ["N", one],
        ["P", two],
      ]);
      const valueOf = (value: Dim): Dim => dim.substitute(value, given);
      if (Number(valueOf(size)) < 0) return;
      const found = cut(0, size, from, to, step);
      const exact = cut(0, valueOf(size), valueOf(from), valueOf(to), step);
      for (const part of ["start", "count"] as const) {
        if (dim.isUnknown(found[part])) continue;
        told += 1;
        expect(valueOf(found[part]), part).toBe(exact[part]);
      }
    }),
    { numRuns: 1000 },
  );
  expect(told).toBeGreaterThan(600);
});

test("where a bound counts from is not taken from what a size most often is", () => {
  const minus = dim.multiply(-1, n);
  expect(dim.isUnknown(cut(0, p, minus, end, 1).count)).toBe(true);
  expect(dim.isUnknown(cut(0, p, 0, minus, 1).count)).toBe(true);
  expect(cut(0, dim.add(p, n), p, end, 1).count).toBe(n);
});

test("a billion is the end of what is free", () => {
  for (const step of [1, -1]) {
    const found = step > 0 ? cut(0, n, 0, 1e9, step) : cut(0, n, 1e9, -1e9, step);
    expect(found.count).toBe(n);
  }
  expect(cut(0, 1_500_000_000, 0, 1e9, 1).count).toBe(1e9);
});

test("the largest integers are the end backwards too, as engines have it", () => {
  for (const largest of [2 ** 31 - 1, Number(2n ** 63n - 1n)]) {
    expect(cut(0, 5, -1, largest, -1).count).toBe(5);
    expect(cut(0, 5, largest, -6, -1).count).toBe(5);
  }
  expect(cut(0, 5, -1, 1000, -1).count).toBe(0);
});
