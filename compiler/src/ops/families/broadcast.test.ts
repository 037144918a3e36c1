import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Dim, dim } from "../../ir/index.js";
import { broadcastShapes } from "./broadcast.js";

const [n, p] = [dim.symbol("N"), dim.symbol("P")];

const sums: fc.Arbitrary<Dim> = fc
  .tuple(...[2, 2, 2].map((most) => fc.nat(most)))
  .map(([a, b, c]) => dim.add(dim.multiply(a ?? 0, n), dim.multiply(b ?? 0, p), c ?? 0));
const sizes = fc.tuple(fc.nat(3), fc.nat(3));

test("two sizes that are not known give what any that fit give", () => {
  let told = 0;
  fc.assert(
    fc.property(sums, sums, sizes, (left, right, [one, two]) => {
      const given = new Map([
        ["N", one],
        ["P", two],
      ]);
      const [found] = broadcastShapes([[left], [right]]) ?? [];
      const fitting = [left, right].map((size) => [dim.substitute(size, given)]);
      const exact = broadcastShapes(fitting);
      if (found === undefined || exact === undefined || dim.isUnknown(found)) return;
      told += 1;
      expect(dim.substitute(found, given)).toBe(exact[0]);
    }),
    { numRuns: 2000 },
  );
  expect(told).toBeGreaterThan(400);
});

test("none with one is none, so that the larger of two sizes is not said", () => {
  expect(dim.isUnknown(broadcastShapes([[n], [p]])?.[0] ?? 0)).toBe(true);
  expect(dim.isUnknown(broadcastShapes([[n], [dim.add(n, 1)]])?.[0] ?? 0)).toBe(true);
  const [more, most] = [dim.add(n, 1), dim.add(n, 2)];
  expect(broadcastShapes([[more], [most]])).toEqual([most]);
  expect(broadcastShapes([[n, 1], [n], []])).toEqual([n, n]);
});
