import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MovingAverage } from "./average.js";
import { VectorMemory } from "../vector-memory.js";
import { clipFactor } from "./clip.js";
import { arraysOf, createOptimizer } from "./create.js";
import type { Optimizer, OptimizerOptions, Slot } from "./optimizer.js";
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

interface Opened {
  readonly slots: readonly Slot[];
  readonly optimizer: Optimizer;
  step(gradients: readonly Float32Array[], rate: number, scale?: number): void;
}

/** An optimizer of slots that have these values, in one memory with all that it takes. */
function opened(options: OptimizerOptions, given: readonly Slot[]): Opened {
  const counts = given.map(({ values }) => values.length);
  const arrays = Array.from({ length: 2 + arraysOf(options) }, () => counts);
  const memory = VectorMemory.for(arrays.flat());
  const taken = (values: Float32Array): Float32Array => {
    const own = memory.take(values.length);
    own.set(values);
    return own;
  };
  const slots = given.map((slot) => ({ ...slot, values: taken(slot.values) }));
  const own = counts.map((count) => memory.take(count));
  const optimizer = createOptimizer(options, slots, memory);
  return {
    slots,
    optimizer,
    step(gradients, rate, scale) {
      gradients.forEach((gradient, index) => own[index]?.set(gradient));
      optimizer.step(own, rate, scale);
    },
  };
}

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
        const {
          slots,
          optimizer,
          step: take,
        } = opened(options, [{ values: Float32Array.from(starts), decays }]);
        const gradientsOf = (at: number): readonly number[] =>
          factors.map((factor, step) => Math.fround(factor * Math.cos(at + step) + 0.1));
        for (let step = 0; step < factors.length; step += 1)
          take([Float32Array.from(starts, (__, at) => gradientsOf(at)[step] ?? 0)], 0.05);
        expect(optimizer.steps).toBe(factors.length);
        for (const [at, start] of starts.entries()) {
          const expected = slowly(options, Math.fround(start), gradientsOf(at), 0.05, decays);
          expect(slots[0]?.values[at]).toBeCloseTo(expected, 4);
        }
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  it("take Adam's steps as a loop of float32 in JavaScript does, bit for bit", () => {
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.05 };
    const { fround } = Math;
    const times = (a: number, b: number): number => fround(a * b);
    const [beta1, beta2] = [fround(options.beta1), fround(options.beta2)];
    const [rest1, rest2] = [fround(1 - options.beta1), fround(1 - options.beta2)];
    const cleared = (x: number): number => (Math.abs(x) >= fround(1e-30) ? x : 0);
    for (const count of [1, 2, 7, 8, 9, 2049]) {
      const start = Float32Array.from({ length: count }, (_, at) => Math.sin(at));
      const [w, m, v] = [start.slice(), new Float32Array(count), new Float32Array(count)];
      const { slots, optimizer, step } = opened({ kind: "adamw", ...options }, [
        { values: Float32Array.of(1), decays: false },
        { values: start, decays: true },
        { values: Float32Array.of(7), decays: false },
      ]);
      for (let t = 1; t <= 3; t += 1) {
        const gradient = start.map((value, at) => value * 10 ** ((at % 20) * 2 - 36) * t);
        step([Float32Array.of(1), gradient, Float32Array.of(0)], 0.01, 0.3);
        const size = fround(0.01 / (1 - options.beta1 ** t));
        const root = fround(1 / Math.sqrt(1 - options.beta2 ** t));
        const keep = fround(1 - 0.01 * options.weightDecay);
        for (let at = 0; at < count; at += 1) {
          const g = times(gradient[at] ?? 0, fround(0.3));
          const mean = cleared(fround(times(beta1, m[at] ?? 0) + times(rest1, g)));
          const square = cleared(fround(times(beta2, v[at] ?? 0) + times(times(rest2, g), g)));
          [m[at], v[at]] = [mean, square];
          const below = fround(times(fround(Math.sqrt(square)), root) + fround(options.epsilon));
          w[at] = fround(times(keep, w[at] ?? 0) - fround(times(size, mean) / below));
        }
      }
      expect(slots[1]?.values).toEqual(w);
      expect(optimizer.memory["mean"]?.[1]).toEqual(m);
      expect(optimizer.memory["square"]?.[1]).toEqual(v);
      // What lies behind is another's.
      expect(slots[2]?.values[0]).toBe(7);
    }
  });

  it("take a scale as if it were on the gradients", () => {
    for (const options of [
      { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 0 },
      { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0 },
    ] as const) {
      const slot = { values: Float32Array.of(1, 2), decays: true };
      const [a, b] = [opened(options, [slot]), opened(options, [slot])];
      a.step([Float32Array.of(4, -8)], 0.1, 0.25);
      b.step([Float32Array.of(1, -2)], 0.1);
      expect(a.slots[0]?.values).not.toEqual(slot.values);
      expect(a.slots).toEqual(b.slots);
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
    const { slots, step } = opened(options, [slot]);
    step([Float32Array.of(1, 1, 1)], 0.1);
    expect([...(slots[0]?.values ?? [])].map((value) => Math.round(value * 1000) / 1000)).toEqual([
      0, 4.9, 0,
    ]);
  });

  it("go on from what they remembered as if nothing had happened", () => {
    const options = {
      kind: "adamw",
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.1,
    } as const;
    const first = opened(options, [{ values: Float32Array.of(1, -1), decays: true }]);
    first.step([Float32Array.of(0.3, 0.7)], 0.1);
    const second = opened(options, first.slots);
    second.optimizer.steps = first.optimizer.steps;
    for (const [name, arrays] of Object.entries(first.optimizer.memory))
      for (const [index, array] of arrays.entries())
        second.optimizer.memory[name]?.[index]?.set(array);
    first.step([Float32Array.of(-0.2, 0.4)], 0.05);
    second.step([Float32Array.of(-0.2, 0.4)], 0.05);
    expect(second.slots).toEqual(first.slots);
  });
});

describe("clipping", () => {
  it("brings all gradients together down to a norm", () => {
    expect(clipFactor(5, 1)).toBe(0.2);
    expect(clipFactor(5, 10)).toBe(1);
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
