import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dim, dim } from "./dim.js";

/** An expression, and what it is for given sizes, computed with plain numbers. */
interface Case {
  readonly dim: Dim;
  readonly value: (sizes: ReadonlyMap<string, number>) => number;
}

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((n): Case => ({ dim: n, value: () => n })),
  fc
    .constantFrom("A", "B", "C")
    .map((name): Case => ({ dim: dim.symbol(name), value: (sizes) => sizes.get(name) ?? 0 })),
);

const { tree } = fc.letrec<{ tree: Case }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]): Case => ({
      dim: dim.add(a.dim, b.dim),
      value: (s) => a.value(s) + b.value(s),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]): Case => ({
      dim: dim.subtract(a.dim, b.dim),
      value: (s) => a.value(s) - b.value(s),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]): Case => ({
      dim: dim.multiply(a.dim, b.dim),
      value: (s) => a.value(s) * b.value(s),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]): Case => ({
      dim: dim.max(a.dim, b.dim),
      value: (s) => Math.max(a.value(s), b.value(s)),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]): Case => ({
      dim: dim.min(a.dim, b.dim),
      value: (s) => Math.min(a.value(s), b.value(s)),
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 1, max: 9 })).map(([a, n]): Case => ({
      dim: dim.floorDiv(a.dim, n),
      value: (s) => Math.floor(a.value(s) / n),
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 1, max: 9 })).map(([a, n]): Case => ({
      dim: dim.ceilDiv(a.dim, n),
      value: (s) => Math.ceil(a.value(s) / n),
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 1, max: 9 })).map(([a, n]): Case => ({
      dim: dim.modulo(a.dim, n),
      value: (s) => a.value(s) - n * Math.floor(a.value(s) / n),
    })),
  ),
}));

const sizes = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50)).map(
  ([a, b, c]) =>
    new Map([
      ["A", a],
      ["B", b],
      ["C", c],
    ]),
);

describe("dimensions", () => {
  it("are what plain arithmetic says, for every size", () => {
    fc.assert(
      fc.property(tree, sizes, (expression, given) => {
        const result = dim.substitute(expression.dim, given);
        // -0 is 0.
        expect(Number(result) + 0).toBe(expression.value(given) + 0);
      }),
      { numRuns: 500 },
    );
  });

  it("are the same object when equal", () => {
    const w = dim.symbol("W");
    expect(dim.add(w, 1, w)).toBe(dim.add(dim.multiply(2, w), 1));
    expect(dim.subtract(dim.add(w, 3), 3)).toBe(w);
    expect(dim.subtract(w, w)).toBe(0);
    expect(dim.floorDiv(dim.add(dim.multiply(2, w), 1), 2)).toBe(w);
    expect(dim.floorDiv(dim.add(w, 5), 2)).toBe(dim.add(dim.floorDiv(dim.add(w, 1), 2), 2));
    expect(dim.max(dim.add(w, 1), w)).toBe(dim.add(w, 1));
  });

  it("read as text", () => {
    const h = dim.symbol("H");
    expect(String(dim.add(dim.floorDiv(dim.subtract(h, 1), 2), 1))).toBe("floordiv(H + 1, 2)");
    expect(String(dim.multiply(h, dim.symbol("an odd name")))).toBe('"an odd name"*H');
  });

  it("are unknown where a product grows without end", () => {
    const sums = Array.from({ length: 40 }, (_, at) =>
      dim.add(dim.symbol(`a${at}`), dim.symbol(`b${at}`)),
    );
    expect(dim.isUnknown(dim.multiply(...sums))).toBe(true);
    let power: Dim = dim.symbol("n");
    for (let doubling = 0; doubling < 40; doubling += 1) power = dim.multiply(power, power);
    expect(dim.isUnknown(power)).toBe(true);
  });
});

it("is unknown where a sum or a product is too long to say anything", () => {
  const many = Array.from({ length: 300 }, (_, at) => dim.symbol(`s${at}`));
  expect(dim.isUnknown(dim.add(...many))).toBe(true);
  expect(dim.isUnknown(dim.add(...many.slice(0, 200)))).toBe(false);
  const some = dim.add(...many.slice(0, 20));
  expect(dim.isUnknown(dim.multiply(some, some))).toBe(true);
  // A sum that grows by one at a time stays short as well.
  let sum: Dim = 0;
  for (const one of many) sum = dim.add(sum, one);
  expect(String(sum).length).toBeLessThan(4000);
});
