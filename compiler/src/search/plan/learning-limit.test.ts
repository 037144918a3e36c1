import { describe, expect, it } from "vitest";
import { LearningLimit } from "./learning-limit.js";

describe("learning that has an end", () => {
  const begun = (endMs: number, steps = 1, outer?: AbortSignal) => {
    const clock = { ms: 0, now: () => clock.ms };
    const limit = new LearningLimit(clock, endMs, steps, outer);
    const told = (atMs: number, fraction: number): boolean => {
      clock.ms = atMs;
      limit.told(fraction);
      return limit.signal.aborted;
    };
    return { limit, told };
  };

  it("is ended as soon as its pace tells that it would be over too late", () => {
    const { limit, told } = begun(1000);
    expect(told(10, 0.01)).toBe(false);
    // A few steps tell nothing.
    expect(told(50, 0.02)).toBe(false);
    expect(told(110, 0.07)).toBe(true);
    expect(limit.tooLateMs).toBeGreaterThan(1500);
    const inTime = begun(1000);
    for (const percent of [1, 5, 20, 60, 99, 100])
      expect(inTime.told(9 * percent, percent / 100)).toBe(false);
    expect(inTime.limit.tooLateMs).toBeNull();
  });

  it("says when it will be over as soon as its pace tells", () => {
    const clock = { ms: 0, now: () => clock.ms };
    const limit = new LearningLimit(clock, Infinity, 2, undefined);
    const ends = [0.5, 0.51, 0.52, 0.6, 0.75, 1].map((fraction) => {
      clock.ms = 1000 * fraction;
      return limit.told(fraction);
    });
    expect(ends.slice(0, 3)).toEqual([null, null, null]);
    for (const end of ends.slice(3)) expect(end).toBeCloseTo(1000, 6);
  });

  it("is not taken for slow by what it does before it begins", () => {
    const { told } = begun(1000);
    expect(told(300, 0)).toBe(false);
    expect(told(400, 0)).toBe(false);
    expect(told(401, 0.01)).toBe(false);
    expect(told(441, 0.09)).toBe(false);
    expect(told(901, 0.6)).toBe(true);
  });

  it("goes by the pace of the step that runs, of as many as a group has", () => {
    const { told } = begun(1000, 2);
    // The first is half of what is told, and took next to nothing.
    for (const [atMs, fraction] of [
      [1, 0.1],
      [2, 0.3],
      [3, 0.5],
      [10, 0.51],
      [20, 0.52],
    ] as const)
      expect(told(atMs, fraction)).toBe(false);
    expect(told(150, 0.54)).toBe(true);
  });

  it("is ended where the time is over, whatever it says", () => {
    expect(begun(100).told(50, 0.01)).toBe(false);
    expect(begun(100).told(101, 0.01)).toBe(true);
    expect(begun(Infinity).told(1e9, 0.01)).toBe(false);
    // A teacher that is asked, and not even one step is done.
    expect(begun(100).told(101, 0)).toBe(true);
    const { limit, told } = begun(100, 2);
    expect([told(99, 0.5), told(101, 0.5)]).toEqual([false, true]);
    expect(limit.tooLateMs).toBe(101);
  });

  it("ends with what is around it, which is not for being late", () => {
    const outer = new AbortController();
    const { limit } = begun(1000, 1, outer.signal);
    expect(limit.signal.aborted).toBe(false);
    outer.abort();
    expect(limit.signal.aborted).toBe(true);
    expect(limit.tooLateMs).toBeNull();
    const closed = begun(1000, 1, new AbortController().signal).limit;
    closed.close();
    expect(closed.signal.aborted).toBe(false);
    // Raised before it began.
    expect(begun(1000, 1, AbortSignal.abort()).limit.signal.aborted).toBe(true);
  });
});
