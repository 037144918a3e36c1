import type { LatencyRatio } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareByLatency } from "./share-by-latency.js";

/** An engine that takes so much for a run, and the rest by blocks of multiplications. */
const engine =
  (fixed: number, blocks: number, spread = 0) =>
  async (keepFlops: number): Promise<LatencyRatio> => {
    const ratio = fixed + (1 - fixed) * (Math.ceil(keepFlops * blocks) / blocks);
    return { ratio, interval: [ratio - spread, ratio + spread] };
  };

describe("the share that is quick enough", () => {
  it("is the largest one, within two hundredths, wherever latency falls with the share", async () => {
    const settings = fc.record({
      fixed: fc.double({ min: 0, max: 0.9, noNaN: true }),
      blocks: fc.integer({ min: 1, max: 64 }),
      wish: fc.double({ min: 0.05, max: 0.99, noNaN: true }),
      least: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    });
    const property = fc.asyncProperty(settings, async ({ fixed, blocks, wish, least }) => {
      const latencyAt = engine(fixed, blocks);
      const { chosen, tried } = await shareByLatency(wish, least, latencyAt);
      expect(tried.length).toBeLessThan(9);
      const isQuick = async (share: number): Promise<boolean> =>
        (await latencyAt(share)).ratio <= wish;
      if (chosen === null) expect(await isQuick(least)).toBe(false);
      else {
        expect(await isQuick(chosen.keepFlops)).toBe(true);
        if (chosen.keepFlops < 0.97) expect(await isQuick(chosen.keepFlops + 0.021)).toBe(false);
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it("is quick enough with all of its interval", async () => {
    const { chosen } = await shareByLatency(0.6, 0.02, engine(0, 1000, 0.1));
    expect(chosen?.latency.interval[1]).toBeLessThanOrEqual(0.6);
    expect(chosen?.keepFlops).toBeGreaterThan(0.45);
  });
});
