import { describe, expect, it } from "vitest";
import { spreadOrder } from "./spread-order.js";

const items = Array.from({ length: 1000 }, (_, index) => index);

/** How many of the first `count` are of each class. */
function classes(count: number, seed: number, classOf: (item: number) => number): number[] {
  const counts: number[] = [];
  for (const item of spreadOrder(items, seed).slice(0, count))
    counts[classOf(item)] = (counts[classOf(item)] ?? 0) + 1;
  return Array.from(counts, (each) => each ?? 0);
}

describe("a spread order", () => {
  it("holds every item once", () => {
    expect(spreadOrder(items, 3).toSorted((a, b) => a - b)).toEqual(items);
  });

  it.each([
    ["lie sorted", (item: number) => Math.floor(item / 250)],
    ["take turns", (item: number) => item % 4],
  ])("begins with all classes alike where they %s", (_, classOf) => {
    for (const seed of [0, 1, 2, 99, Number.MAX_SAFE_INTEGER]) {
      expect(Math.min(...classes(12, seed, classOf))).toBeGreaterThanOrEqual(1);
      for (const count of classes(200, seed, classOf)) expect(Math.abs(count - 50)).toBeLessThan(5);
    }
  });

  it("begins elsewhere with another seed, and is the same with the same", () => {
    expect(spreadOrder(items, 1)).toEqual(spreadOrder(items, 1));
    expect(spreadOrder(items, 1)[0]).not.toBe(spreadOrder(items, 2)[0]);
  });
});
