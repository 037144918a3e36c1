import { describe, expect, it } from "vitest";
import type { Gain } from "../../targets/gains.js";
import { facts, way } from "./planned.test.support.js";
import { Schedule } from "./schedule.js";

const holds: Gain = { latency: 0.6, latencySpread: 0.1, size: 0.3, accepted: 1 };

describe("the test samples of the float model alone", () => {
  const samplesAfter = (sampleMs: number, nowMs: number) => {
    const dear = { ...facts, runMs: sampleMs, sampleMs, answerMs: sampleMs };
    const schedule = new Schedule({
      facts: [dear],
      planned: [],
      nowMs: 0,
      askedMs: 120_000,
      calibration: 0,
    });
    return schedule.testCounts(new Set(), nowMs).get("cpu");
  };

  it("are those that were planned while there is time, and else as few as take no time", () => {
    expect(samplesAfter(25, 0)).toBe(400);
    expect(samplesAfter(25, 120_000)).toBe(16);
    expect(samplesAfter(1500, 120_000)).toBe(1);
  });
});

describe("a budget below the cheapest sound plan", () => {
  const dear = { ...facts, runMs: 400, sampleMs: 400, answerMs: 400 };
  const cheap = [
    way("cpu", "int8-weights", "quantize-weights", holds),
    way("cpu", "fp16-weights", "fp16-weights", holds),
  ];
  const summaryOf = (askedMs: number) =>
    new Schedule({ facts: [dear], planned: cheap, nowMs: 2000, askedMs, calibration: 0 }).summary;

  it("is said to be, with what that plan takes and what is taken all the same", () => {
    const { tooShort, leastMs, lowMs, highMs, budgetMs } = summaryOf(3000);
    expect({ tooShort, budgetMs }).toEqual({ tooShort: true, budgetMs: 3000 });
    expect(leastMs).toBeGreaterThan(3000);
    expect(highMs).toBeGreaterThan(3000);
    expect(lowMs).toBeLessThan(leastMs);
    // What it says that it takes is enough.
    expect(summaryOf(leastMs)).toMatchObject({ tooShort: false, leastMs });
    expect(summaryOf(leastMs).highMs).toBeLessThanOrEqual(leastMs);
  });
});

describe("what an earlier run kept of the test samples", () => {
  it("leaves its time to the search", () => {
    const schedule = new Schedule({
      facts: [facts],
      planned: [],
      nowMs: 0,
      askedMs: 120_000,
      calibration: 0,
    });
    const before = schedule.deadlineMs;
    const { test } = schedule.countsOf("cpu");
    schedule.knows("cpu", { floatIsKnown: true, bestIsKnown: false });
    // With what is kept because that is an estimate.
    expect((schedule.deadlineMs - before) / (test * facts.sampleMs)).toBeCloseTo(1.15, 2);
    schedule.knows("cpu", { floatIsKnown: true, bestIsKnown: true });
    expect(schedule.deadlineMs - before).toBeGreaterThan(1.5 * test * facts.sampleMs);
  });
});

describe("the test samples where it is open whether what is best holds", () => {
  const many = { ...facts, validation: 2000, test: 4000 };
  const wasm = { ...many, target: "wasm" as const };
  const tries = Array.from({ length: 60 }, () =>
    way("cpu", "int8-weights", "quantize-weights", holds),
  );
  const given = {
    facts: [many, wasm],
    planned: tries,
    nowMs: 0,
    askedMs: 120_000,
    calibration: 0,
  };
  const of = (tested?: number): Schedule => {
    const planned = { validation: 100, test: 800 };
    const earlier = new Map([
      ["cpu", tested === undefined ? planned : { ...planned, tested }],
    ] as const);
    const schedule = new Schedule({ ...given, earlier });
    for (const target of ["cpu", "wasm"] as const) schedule.best(target, 0.5, true);
    return schedule;
  };
  const open = new Set(["cpu"] as const);
  const endMs = (schedule: Schedule): number => schedule.summary.highMs;

  it("are as many more as the time does for that the user was told, and a multiple of what tells", () => {
    const schedule = of();
    const early = schedule.testCounts(open, 0);
    const later = schedule.testCounts(open, endMs(schedule) / 3);
    const planned = schedule.countsOf("cpu").test;
    expect(early.get("cpu")).toBeGreaterThan(later.get("cpu") ?? Infinity);
    expect(later.get("cpu")).toBeGreaterThan(planned);
    for (const counts of [early, later]) expect(counts.get("cpu") ?? 1).toSatisfy(isWhole);
    expect(schedule.testCounts(open, endMs(schedule)).get("cpu")).toBe(planned);
  });

  it("are part of what is expected to come", () => {
    const schedule = of();
    schedule.beginEnding(0);
    const before = schedule.expectedEndMs(0);
    const count = schedule.testCounts(open, 0).get("cpu") ?? 0;
    const more = (count - schedule.countsOf("cpu").test) * many.sampleMs;
    expect(schedule.expectedEndMs(0) - before).toBeGreaterThan(more);
    expect(schedule.expectedEndMs(0) - before).toBeLessThan(2 * more);
  });

  it("are those that were planned where it is sure", () => {
    const schedule = of();
    const planned = schedule.countsOf("wasm").test;
    expect(schedule.testCounts(open, 0).get("wasm")).toBe(planned);
    expect(schedule.testCounts(new Set(), 0).get("cpu")).toBe(schedule.countsOf("cpu").test);
  });

  it("are those of an earlier run, where there is time for them", () => {
    const schedule = of(1100);
    expect(schedule.testCounts(open, 0).get("cpu")).toBe(1100);
    expect(schedule.testCounts(open, endMs(schedule)).get("cpu")).toBe(
      schedule.countsOf("cpu").test,
    );
  });

  it("are no more for who was interrupted and goes on", () => {
    const whole = of();
    const nowMs = endMs(whole) / 2;
    const interrupted = whole.interruptedAt(endMs(whole) / 4);
    const rest = new Schedule({ ...given, earlier: interrupted });
    for (const target of ["cpu", "wasm"] as const) rest.best(target, 0.5, true);
    expect(rest.testCounts(open, endMs(whole) / 4)).toEqual(whole.testCounts(open, nowMs));
    expect(rest.testCounts(open, 0).get("cpu")).toBeGreaterThan(
      whole.testCounts(open, nowMs).get("cpu") ?? Infinity,
    );
  });

  it("are as many for who was interrupted while they were looked at, and goes on", () => {
    const whole = of();
    const nowMs = endMs(whole) / 2;
    const counts = whole.testCounts(open, nowMs);
    const interrupted = whole.interruptedAt(nowMs + 1000);
    expect(interrupted.get("cpu")).toMatchObject({
      tested: counts.get("cpu"),
      spentMs: nowMs + 1000,
    });
    const rest = new Schedule({ ...given, earlier: interrupted });
    for (const target of ["cpu", "wasm"] as const) rest.best(target, 0.5, true);
    expect(rest.testCounts(open, 1000)).toEqual(counts);
    expect(rest.counted.get("cpu")?.spentMs).toBeUndefined();
  });

  it("are kept where a search that had ended is repeated and interrupted", () => {
    expect(of(1100).interruptedAt(1000).get("cpu")).toEqual(of(1100).countsOf("cpu"));
  });

  it("leave time for as many of what comes next", () => {
    const schedule = of();
    const nowMs = endMs(schedule) / 3;
    const count = schedule.testCounts(open, nowMs).get("cpu") ?? Infinity;
    const tookMs = count * (many.sampleMs + many.sampleMs * 0.8);
    expect(schedule.affordableAtEnd("cpu", nowMs + tookMs)).toBeGreaterThan(count);
  });

  const isWhole = (count: number): boolean =>
    count === many.test || count % many.tellingSamples === 0;
});
