import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MovingAverage } from "./average.js";
import { clipFactor, globalNorm } from "./clip.js";
import { createOptimizer } from "./create.js";
import type { OptimizerOptions, Slot } from "./optimizer.js";
import { rateFactor, type Schedule } from "./schedule.js";

const share = fc.double({ min: 0, max: 0.99, noNaN: true });
const decay = fc.constantFrom(0, 0.01, 0.1);
const sgd: fc.Arbitrary<OptimizerOptions> = fc.record({
  kind: fc.constant("sgd" as const),
  momentum: share,
  nesterov: fc.boolean(),
  weightDecay: decay,
});
const adamw: fc.Arbitrary<OptimizerOptions> = fc.record({
  kind: fc.constant("adamw" as const),
  beta1: share,
  beta2: share,
  epsilon: fc.constantFrom(1e-8, 1e-3),
  weightDecay: decay,
});
const number = fc.double({ min: -3, max: 3, noNaN: true });

/** One weight at a time, in double precision, as the papers' algorithms are written down. */
function slowly(
  options: OptimizerOptions,
  start: number,
  gradients: readonly number[],
  rate: number,
  decays: boolean,
): number {
  let w = start;
  let [m, v] = [0, 0];
  const lambda = decays ? options.weightDecay : 0;
  for (const [index, gradient] of gradients.entries()) {
    const t = index + 1;
    if (options.kind === "sgd") {
      const g = gradient + lambda * w;
      m = options.momentum * m + g;
      w -= rate * (options.nesterov ? g + options.momentum * m : m);
    } else {
      m = options.beta1 * m + (1 - options.beta1) * gradient;
      v = options.beta2 * v + (1 - options.beta2) * gradient ** 2;
      const mHat = m / (1 - options.beta1 ** t);
      const vHat = v / (1 - options.beta2 ** t);
      w = w - rate * lambda * w - (rate * mHat) / (Math.sqrt(vHat) + options.epsilon);
    }
  }
  return w;
}

describe("optimizers", () => {
  it.each([
    ["sgd", sgd],
    ["adamw", adamw],
  ] as const)("%s does what its paper says, element by element", (_, drawn) => {
    const property = fc.property(
      drawn,
      fc.array(number, { minLength: 1, maxLength: 5 }),
      fc.array(number, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (options, starts, factors, decays) => {
        const slot: Slot = { values: Float32Array.from(starts), decays };
        const optimizer = createOptimizer(options, [slot]);
        const gradientsOf = (at: number): readonly number[] =>
          factors.map((factor, step) => Math.fround(factor * Math.cos(at + step) + 0.1));
        for (let step = 0; step < factors.length; step += 1)
          optimizer.step([Float32Array.from(starts, (__, at) => gradientsOf(at)[step] ?? 0)], 0.05);
        expect(optimizer.steps).toBe(factors.length);
        for (const [at, start] of starts.entries()) {
          const expected = slowly(options, Math.fround(start), gradientsOf(at), 0.05, decays);
          expect(slot.values[at]).toBeCloseTo(expected, 4);
        }
      },
    );
    fc.assert(property, { numRuns: 60, seed: 5 });
  });

  it("take Adam's steps as a loop in JavaScript does, bit for bit, also beyond one piece", () => {
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.05 };
    const { beta1, beta2, epsilon, weightDecay } = options;
    for (const count of [1, 2, 7, 2047, 2048, 2049, 5001]) {
      const start = Float32Array.from({ length: count }, (_, at) => Math.sin(at));
      const [w, m, v] = [start.slice(), new Float32Array(count), new Float32Array(count)];
      const values = start.slice();
      const slots = [
        { values: Float32Array.of(1), decays: false },
        { values, decays: true },
      ];
      const optimizer = createOptimizer({ kind: "adamw", ...options }, slots);
      for (let t = 1; t <= 3; t += 1) {
        const gradient = start.map((value, at) => value * 10 ** ((at % 9) - 6) * t);
        optimizer.step([Float32Array.of(1), gradient], 0.01, 0.3);
        const size = 0.01 / (1 - beta1 ** t);
        const root = 1 / Math.sqrt(1 - beta2 ** t);
        for (let at = 0; at < count; at += 1) {
          const g = (gradient[at] ?? 0) * 0.3;
          const mean = beta1 * (m[at] ?? 0) + (1 - beta1) * g;
          const square = beta2 * (v[at] ?? 0) + (1 - beta2) * g * g;
          [m[at], v[at]] = [mean, square];
          const keep = 1 - 0.01 * weightDecay;
          w[at] = keep * (w[at] ?? 0) - (size * mean) / (Math.sqrt(square) * root + epsilon);
        }
      }
      expect(values).toEqual(w);
      expect(optimizer.memory["mean"]?.[1]).toEqual(m);
      expect(optimizer.memory["square"]?.[1]).toEqual(v);
    }
  });

  it("take a scale as if it were on the gradients", () => {
    for (const options of [
      { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 0 },
      { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0 },
    ] as const) {
      const [a, b] = [Float32Array.of(1, 2), Float32Array.of(1, 2)];
      createOptimizer(options, [{ values: a, decays: true }]).step(
        [Float32Array.of(4, -8)],
        0.1,
        0.25,
      );
      createOptimizer(options, [{ values: b, decays: true }]).step([Float32Array.of(1, -2)], 0.1);
      expect(a).toEqual(b);
    }
  });

  it("keep masked weights at 0", () => {
    const values = Float32Array.of(0, 5, 3);
    const mask = Uint8Array.of(0, 1, 0);
    const slot: Slot = { values, decays: true, mask };
    const options = {
      kind: "adamw",
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    } as const;
    createOptimizer(options, [slot]).step([Float32Array.of(1, 1, 1)], 0.1);
    expect([...values].map((value) => Math.round(value * 1000) / 1000)).toEqual([0, 4.9, 0]);
  });

  it("go on from what they remembered as if nothing had happened", () => {
    const options = {
      kind: "adamw",
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.1,
    } as const;
    const whole: Slot = { values: Float32Array.of(1, -1), decays: true };
    const first = createOptimizer(options, [whole]);
    first.step([Float32Array.of(0.3, 0.7)], 0.1);
    const half: Slot = { values: whole.values.slice(), decays: true };
    const second = createOptimizer(options, [half]);
    second.steps = first.steps;
    for (const [name, arrays] of Object.entries(first.memory))
      for (const [index, array] of arrays.entries()) second.memory[name]?.[index]?.set(array);
    first.step([Float32Array.of(-0.2, 0.4)], 0.05);
    second.step([Float32Array.of(-0.2, 0.4)], 0.05);
    expect(half.values).toEqual(whole.values);
  });
});

describe("clipping", () => {
  it("brings all gradients together down to a norm", () => {
    const gradients = [Float32Array.of(3, 0), Float32Array.of(0, 4)];
    expect(globalNorm(gradients)).toBe(5);
    expect(clipFactor(5, 1)).toBe(0.2);
    expect(clipFactor(5, 10)).toBe(1);
  });

  it("sees what is not finite", () => {
    expect(globalNorm([Float32Array.of(1, Number.NaN)])).toBeNaN();
    expect(globalNorm([Float32Array.of(1, -Infinity)])).toBe(Infinity);
  });
});

describe("schedules", () => {
  it.each<[Schedule, readonly (readonly [number, number])[]]>([
    [
      { kind: "constant", warmUp: 0 },
      [
        [0, 1],
        [0.5, 1],
      ],
    ],
    [
      { kind: "constant", warmUp: 0.2 },
      [
        [0, 0],
        [0.1, 0.5],
        [0.2, 1],
        [0.9, 1],
      ],
    ],
    [
      { kind: "cosine", warmUp: 0 },
      [
        [0, 1],
        [0.5, 0.5],
        [1, 0],
      ],
    ],
    [
      { kind: "cosine", warmUp: 0.5 },
      [
        [0.25, 0.5],
        [0.5, 1],
        [0.75, 0.5],
      ],
    ],
    [
      { kind: "one-cycle", warmUp: 0 },
      [
        [0, 0.04],
        [0.3, 1],
        [0.65, 0.5],
        [1, 0],
      ],
    ],
    [
      { kind: "one-cycle", warmUp: 0.5 },
      [
        [0.25, 0.52],
        [0.5, 1],
      ],
    ],
  ])("%j", (schedule, points) => {
    for (const [done, factor] of points) expect(rateFactor(schedule, done)).toBeCloseTo(factor, 5);
  });
});

describe("a moving average", () => {
  it("forgets the beginning soon, and then moves by its decay", () => {
    const values = Float32Array.of(0);
    const average = new MovingAverage([values], 0.9);
    values[0] = 1;
    average.update(1);
    expect(average.averages[0]?.[0]).toBeCloseTo(1 - 2 / 11, 6);
    const before = average.averages[0]?.[0] ?? 0;
    average.update(1000);
    expect(average.averages[0]?.[0]).toBeCloseTo(0.9 * before + 0.1, 6);
  });
});
