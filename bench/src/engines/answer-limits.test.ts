import { describe, expect, it } from "vitest";
import { asBefore } from "./answer-limits.js";

describe("the limit of a call for what takes as long as before", () => {
  it("is the caller's before anything was done", () => {
    expect(asBefore({ limitMs: 70_000 }, null).limitMs).toBe(70_000);
    expect(asBefore({}, null).limitMs).toBeUndefined();
  });

  it("is a few seconds where the last answer took less, and the caller's where that is shorter", () => {
    expect(asBefore({ limitMs: 70_000 }, 100).limitMs).toBe(5000);
    expect(asBefore({}, 100).limitMs).toBe(5000);
    expect(asBefore({ limitMs: 2000 }, 100).limitMs).toBe(2000);
  });

  it("is several times as long as the last answer took: a model whose runs take long does not hang", () => {
    expect(asBefore({ limitMs: 70_000 }, 6000).limitMs).toBe(48_000);
    expect(asBefore({}, 6000).limitMs).toBe(48_000);
    expect(asBefore({ limitMs: 20_000 }, 6000).limitMs).toBe(20_000);
  });
});
