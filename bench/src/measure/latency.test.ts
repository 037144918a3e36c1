import { describe, expect, it } from "vitest";
import { type BegunTiming, comparisonOf, measureLatency } from "./latency.js";

const feeds = { x: { type: "float32", dims: [1, 4], data: new Float32Array(4) } } as const;
const blocks = Array.from({ length: 32 }, () => [
  [2, 4],
  [1, 1, 9],
]);
const timed = (...batch: readonly number[]) =>
  comparisonOf(blocks, { batch, units: [2, 3] }, 1, 1, feeds).latencies;

describe("a latency", () => {
  it("is of a model, beside that of the first", () => {
    expect(timed(1, 1)[1]).toMatchObject({
      p50: 1,
      p90: 9,
      p99: null,
      n: 96,
      ratio: 1 / 3,
      baselineP50: 3,
      method: "1 thread, 32 blocks interleaved with the baseline's, 3 runs each, x 1×4",
    });
  });

  it("has no tail where its times are means of several runs, and says so", () => {
    const [first, second] = timed(1, 8);
    expect(second).toMatchObject({ p50: 1, p90: null, p99: null });
    expect(second?.method).toMatch(/3 times 8 runs each.*the mean of 8.*no p90 or p99/);
    expect(first?.p90).toBe(4);
  });
});

it("goes on with the blocks of a timing that was interrupted, as it was planned", async () => {
  const plan = { batch: [3], units: [2], unseen: [true], tickMs: 0, expectedMs: 1, seed: 1 };
  const model = { id: 1, inputs: [], outputs: [], loadMs: 0 };
  const limits = { warmUpMs: 1, blocks: 20, maxBlocks: 60, maxMs: 1e9 };
  const asked: { readonly batch: readonly number[]; readonly seed: number }[] = [];
  const stop = new AbortController();
  const host = (batch: number, calls: number) => ({
    warmUp: async () => ({ ...plan, batch: [batch] }),
    time: async (_: unknown, __: unknown, drawn: typeof plan, count: number) => {
      if (asked.length === calls) {
        stop.abort();
        throw new Error("aborted");
      }
      asked.push(drawn);
      return Array.from({ length: count }, () => [[asked.length]]);
    },
  });
  let begun: BegunTiming | undefined;
  const options = {
    limits,
    seed: 7,
    onInterrupted: async (left: BegunTiming) => void (begun = left),
  };
  const first = measureLatency(host(3, 2), [model], [feeds], { ...options, signal: stop.signal });
  await expect(first).rejects.toThrow("aborted");
  expect(begun?.blocks).toHaveLength(10);
  // By now a run seems to take another time.
  const whole = await measureLatency(host(5, Infinity), [model], [feeds], { ...options, begun });
  expect(asked.map(({ batch }) => batch)).toEqual([[3], [3], [3], [3]]);
  expect(asked.map(({ seed }) => seed)).toEqual([7, 12, 17, 22]);
  expect(whole.latencies[0]).toMatchObject({ n: 20 });
});

describe("what is timed until it is known", () => {
  /** Blocks of a model and of another that takes `ratio` times as long, give or take a hundredth. */
  const blocksUntil = async (ratio: number, untilPrecise: boolean): Promise<number> => {
    let count = 0;
    const plan = { batch: [1, 1], units: [1, 1], unseen: [false, false], tickMs: 0, expectedMs: 1, seed: 1 }; // prettier-ignore
    const host = {
      warmUp: async () => plan,
      time: async (_: unknown, __: unknown, ___: unknown, blocks: number) =>
        Array.from({ length: blocks }, () => [[1], [ratio * (1 + 0.01 * Math.sin((count += 1)))]]),
    };
    const model = { id: 1, inputs: [], outputs: [], loadMs: 0 };
    const limits = { warmUpMs: 1, blocks: 15, maxBlocks: 60, maxMs: 1e9, untilPrecise };
    await measureLatency(host, [model, model], [feeds], { limits, seed: 1 });
    return count;
  };

  it("goes on while it is open whether one is faster by 2 %, to choose by", async () => {
    expect(await blocksUntil(1.02, false)).toBe(60);
    expect(await blocksUntil(0.5, false)).toBe(15);
  });

  it("goes on until it is known within 2 %, on whichever side, to publish", async () => {
    expect(await blocksUntil(1.02, true)).toBeLessThan(60);
    expect(await blocksUntil(1, true)).toBe(15);
  });
});
