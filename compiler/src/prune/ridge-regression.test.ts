import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NormalEquations, ridgeRegression, squaredError } from "./ridge-regression.js";

interface Problem {
  readonly rows: readonly (readonly number[])[];
  readonly wanted: readonly (readonly number[])[];
  readonly before: readonly (readonly number[])[];
  readonly ridge: number;
  readonly hasIntercept: boolean;
}

const numbers = (length: number) =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: length, maxLength: length });

const problems: fc.Arbitrary<Problem> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 6 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    samples: fc.integer({ min: 1, max: 12 }),
    ridge: fc.constantFrom(1e-3, 0.1, 2),
    hasIntercept: fc.boolean(),
  })
  .chain(({ inputs, outputs, samples, ridge, hasIntercept }) =>
    fc.record({
      rows: fc
        .array(numbers(inputs), { minLength: samples, maxLength: samples })
        .map((all) => (hasIntercept ? all.map((row) => [...row, 1]) : all)),
      wanted: fc.array(numbers(samples), { minLength: outputs, maxLength: outputs }),
      before: fc.array(numbers(hasIntercept ? inputs + 1 : inputs), {
        minLength: outputs,
        maxLength: outputs,
      }),
      ridge: fc.constant(ridge),
      hasIntercept: fc.constant(hasIntercept),
    }),
  );

function equationsOf({ rows, wanted }: Problem): NormalEquations {
  const unknowns = rows[0]?.length ?? 0;
  const sum = (a: (at: number) => number, b: (at: number) => number): number =>
    rows.reduce((all, _, at) => all + a(at) * b(at), 0);
  const column = (index: number) => (at: number) => rows[at]?.[index] ?? 0;
  const all = [...(rows[0] ?? []).keys()];
  return {
    unknowns,
    gram: Float64Array.from(all.flatMap((a) => all.map((b) => sum(column(a), column(b))))),
    cross: Float64Array.from(
      wanted.flatMap((one) => all.map((b) => sum((at) => one[at] ?? 0, column(b)))),
    ),
  };
}

const flat = (rows: readonly (readonly number[])[]): Float64Array => Float64Array.from(rows.flat());

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, one, at) => sum + one * (b[at] ?? 0), 0);

/** What is to be small, from its definition: one output after the other, one sample after the other. */
function cost({ rows, wanted, before, ridge, hasIntercept }: Problem, weights: Float64Array) {
  const unknowns = rows[0]?.length ?? 0;
  const held = hasIntercept ? unknowns - 1 : unknowns;
  const mean = rows.reduce((sum, row) => sum + dot(row.slice(0, held), row), 0) / held;
  let [error, whole] = [0, 0];
  for (const [output, one] of wanted.entries()) {
    const own = [...weights.subarray(output * unknowns, (output + 1) * unknowns)];
    for (const [at, row] of rows.entries()) error += ((one[at] ?? 0) - dot(own, row)) ** 2;
    for (let at = 0; at < held; at += 1)
      whole += ridge * mean * ((own[at] ?? 0) - (before[output]?.[at] ?? 0)) ** 2;
  }
  return { error, whole: whole + error };
}

describe("ridge regression", () => {
  it("gives what is cheapest: every step away from it costs more", () => {
    fc.assert(
      fc.property(problems, fc.double({ min: -1, max: 1, noNaN: true }), (problem, step) => {
        const { before, ridge, hasIntercept, wanted } = problem;
        const equations = equationsOf(problem);
        const found = ridgeRegression(equations, flat(before), ridge, hasIntercept);
        // Inputs that are all zero: the samples say nothing.
        fc.pre(found !== null);
        if (found === null) return;
        const least = cost(problem, found);
        for (const at of found.keys()) {
          const moved = found.with(at, (found[at] ?? 0) + step);
          expect(cost(problem, moved).whole).toBeGreaterThanOrEqual(least.whole - 1e-8);
        }
        const squares = dot(wanted.flat(), wanted.flat());
        expect(squaredError(equations, squares, found)).toBeCloseTo(least.error, 6);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves what the samples do not tell as it was", () => {
    const equations = equationsOf({
      rows: [
        [1, 0, 0],
        [2, 0, 0],
      ],
      wanted: [[3, 6]],
      before: [],
      ridge: 0,
      hasIntercept: false,
    });
    const found = ridgeRegression(equations, Float64Array.of(0, 5, -7), 1e-6);
    expect(found?.[0]).toBeCloseTo(3, 4);
    expect([found?.[1], found?.[2]]).toEqual([5, -7]);
  });

  it("says nothing where samples say nothing, or are no numbers", () => {
    const nothing = { unknowns: 1, gram: Float64Array.of(0), cross: Float64Array.of(0) };
    expect(ridgeRegression(nothing, Float64Array.of(1), 0.1)).toBeNull();
    const broken = { unknowns: 1, gram: Float64Array.of(Number.NaN), cross: Float64Array.of(1) };
    expect(ridgeRegression(broken, Float64Array.of(1), 0.1)).toBeNull();
    const lost = { unknowns: 1, gram: Float64Array.of(1), cross: Float64Array.of(Infinity) };
    expect(ridgeRegression(lost, Float64Array.of(1), 0.1)).toBeNull();
  });
});
