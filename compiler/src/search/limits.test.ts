import { expect, it } from "vitest";
import { optimize } from "./optimize.js";
import type { Limits, Optimized } from "./request.js";
import { bytesOf, original, requestFor } from "./search-request.test.support.js";
import { simulatedMeasure } from "./simulated-measure.test.support.js";

const limited = (limits: Partial<Limits>, prefer: "latency" | "size") => ({
  budget: { limits: () => ({ maxDrop: 0.01, ...limits }), prefer, timeBudgetMs: 600_000 },
});

it("takes what is small enough where size has a limit, though it is slower", async () => {
  const maxSizeBytes = bytesOf(original) / 2;
  const measure = simulatedMeasure((artifact) => ({
    ratio: bytesOf(artifact) <= maxSizeBytes ? 1.5 : 1,
  }));
  const inHand: Optimized[] = [];
  const { variants, missed } = await optimize(
    await requestFor(measure, {
      ...limited({ maxSizeBytes }, "latency"),
      onImproved: async (done) => void inHand.push(done),
    }),
  );
  expect(bytesOf(variants[0]?.artifact)).toBeLessThanOrEqual(maxSizeBytes);
  expect(missed).toEqual([]);
  expect(bytesOf(inHand.at(-1)?.variants[0]?.artifact)).toBeLessThanOrEqual(maxSizeBytes);
});

it("takes what is fast enough where latency has a limit, though it is larger", async () => {
  const isHalf = (bytes: number): boolean => bytes > 0.4 * bytesOf(original);
  const measure = simulatedMeasure((artifact) => {
    const bytes = bytesOf(artifact);
    if (bytes >= 0.9 * bytesOf(original)) return {};
    return { ratio: isHalf(bytes) ? 0.4 : 0.95 };
  });
  const { variants, missed } = await optimize(
    await requestFor(measure, limited({ maxLatencyMs: 0.5 }, "size")),
  );
  expect(isHalf(bytesOf(variants[0]?.artifact))).toBe(true);
  expect(missed).toEqual([]);
});

it("says of each that failed on the test samples why, and that the limit is missed where none is left", async () => {
  const maxSizeBytes = bytesOf(original) / 2;
  const measure = simulatedMeasure((artifact) =>
    bytesOf(artifact) <= maxSizeBytes ? { ratio: 0.5, testDrop: 0.5 } : {},
  );
  const { candidates, missed, variants } = await optimize(
    await requestFor(measure, limited({ maxSizeBytes }, "latency")),
  );
  const [chosen] = candidates.filter(({ verdict }) => verdict === "chosen");
  const [, listed = ""] =
    /taken after (.*) failed on these samples/.exec(chosen?.reason ?? "") ?? [];
  expect(chosen?.reason).not.toContain("a little better");
  const fell = listed.split(", ");
  expect(fell.length).toBeGreaterThan(2);
  for (const name of fell)
    expect([name, candidates.find((one) => one.name === name)?.reason]).toEqual([
      name,
      expect.stringContaining("on the test samples"),
    ]);
  expect(bytesOf(variants[0]?.artifact)).toBeGreaterThan(maxSizeBytes);
  expect(missed).toEqual([expect.stringContaining("over --max-size")]);
});
