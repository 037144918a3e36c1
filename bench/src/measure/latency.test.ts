import { describe, expect, it } from "vitest";
import { comparisonOf } from "./latency.js";

const feeds = { x: { type: "float32", dims: [1, 4], data: new Float32Array(4) } } as const;
const blocks = Array.from({ length: 20 }, () => [
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
      n: 60,
      ratio: 1 / 3,
      baselineP50: 3,
      method: "1 thread, 20 blocks interleaved with the baseline's, 3 runs each, x 1×4",
    });
  });

  it("has no tail where its times are means of several runs, and says so", () => {
    const [first, second] = timed(1, 8);
    expect(second).toMatchObject({ p50: 1, p90: null, p99: null });
    expect(second?.method).toMatch(/3 times 8 runs each.*the mean of 8.*no p90 or p99/);
    expect(first?.p90).toBe(4);
  });
});
