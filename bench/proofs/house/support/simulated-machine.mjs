// A machine that never was: it says how long files take and what they lose, with noise, and its clock moves by what
// would have passed. The estimates are the real ones: `measureLatency` and the interval of paired answers.
import { join } from "node:path";

/** mulberry32: numbers from 0 to 1 by a seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of mean 0 and standard deviation 1, after Box and Muller. */
export const normal = (random) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export async function loadEstimators(root) {
  const { measureLatency } = await import(join(root, "bench/dist/measure/latency.js"));
  const { pairedDifference } = await import(join(root, "bench/dist/statistics/paired.js"));
  const { normalQuantile } = await import(join(root, "bench/dist/statistics/normal.js"));
  return { measureLatency, pairedDifference, normalQuantile };
}

/**
 * @param {object} facts runMs, loadMs, sampleMs, validation, test of the float model
 * @param {(artifact: object) => object} wayOf what is true of a file: ratio, drop, flips, size, noise
 * `blind`: no answer is ever seen to change
 */
export function simulatedMachine({ facts, wayOf, seed, estimators, blind = false }) {
  const random = seeded(seed);
  const { runMs, loadMs, sampleMs, validation, test } = facts;
  const { measureLatency, pairedDifference, normalQuantile } = estimators;
  let now = facts.startMs ?? 3000;
  const clock = { now: () => now };
  const samples = { calibration: 100, validation, test };
  /** Right before and wrong now, or the other way round, by file, split and sample. */
  const answers = new Map();
  const seen = new Map();
  const answered = (way, split, count) => {
    const key = `${way.name} ${split}`;
    const drawn = answers.get(key) ?? [];
    answers.set(key, drawn);
    while (drawn.length < count) {
      const at = random();
      const lost = (way.flips + way.drop) / 2;
      drawn.push(at < lost ? 1 : at < way.flips ? -1 : 0);
    }
    return drawn.slice(0, count);
  };
  const host = (ways) => ({
    async warmUp(_, __, warmUpMs) {
      now += Math.max(warmUpMs * ways.length, 3 * runMs);
      return {
        batch: ways.map(() => 1),
        units: ways.map(({ ratio }) => Math.min(25, Math.max(1, Math.round(20 / (runMs * ratio))))),
        tickMs: 0.005,
        seed: 0,
      };
    },
    async time(_, __, plan, blocks) {
      return Array.from({ length: blocks }, () => {
        const common = Math.exp(0.1 * normal(random));
        return ways.map(({ ratio, noise }, index) => {
          // A few blocks meet something else that runs.
          const spike = random() < 0.03 ? 1 + random() : 1;
          const typical =
            runMs * ratio * common * spike * Math.exp((noise / Math.SQRT2) * normal(random));
          now += typical * (plan.units[index] + 1);
          return Array.from({ length: 3 }, () => typical * Math.exp(0.02 * normal(random)));
        });
      });
    },
  });
  return {
    clock,
    isMean: true,
    samples: (split) => samples[split],
    sampleMs: async () => sampleMs,
    async size(artifact) {
      const brotli = 1e6 * wayOf(artifact).size;
      return { raw: brotli, gzip: brotli, brotli };
    },
    async tryOut({ artifact }) {
      const { ratio, noise } = wayOf(artifact);
      now += loadMs + 5 * runMs * ratio;
      return { loadMs, runMs: runMs * ratio * Math.exp(noise * 0.3 * normal(random)) };
    },
    async accuracy({ artifact, target, float, split, count, confidence = 0.95 }) {
      const way = wayOf(artifact);
      const n = Math.min(count, samples[split]);
      const key = `${way.name} ${split}`;
      now += Math.max(0, n - (seen.get(key) ?? 0)) * (sampleMs + runMs * (way.ratio - 1));
      seen.set(key, Math.max(n, seen.get(key) ?? 0));
      if (n === 0) return null;
      const common = { metric: "top1", direction: "higher", n, measuredOn: target, flips: null };
      if (float === undefined)
        return { ...common, value: 0.9, interval: [0.88, 0.92], drop: null, dropInterval: null };
      const drawn = blind ? Array(n).fill(0) : answered(way, split, n);
      const lost = drawn.filter((one) => one === 1).length;
      const gained = drawn.filter((one) => one === -1).length;
      const z = normalQuantile((1 + confidence) / 2);
      const drop = (lost - gained) / n;
      return {
        ...common,
        value: 0.9 - drop,
        interval: [0.88, 0.92],
        drop,
        dropInterval: pairedDifference(lost, gained, n, z),
      };
    },
    async parity({ count }) {
      now += Math.min(16, count) * 2 * runMs;
      return { n: count, maxError: 1e-6, flips: 0 };
    },
    knows: async () => false,
    earlierLatency: async () => null,
    shareSamples: async () => 1,
    async latency({ artifacts, limits, seed: own }) {
      const ways = artifacts.map(wayOf);
      return measureLatency(host(ways), ways, [{}], { limits, seed: seed + own, clock });
    },
    async coldStart() {
      now += 400 + loadMs + runMs;
      return { startupMs: loadMs + runMs, memoryBytes: 1e7 };
    },
  };
}
