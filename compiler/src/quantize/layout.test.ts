import { elementCount } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockView } from "./block-view.js";
import type { Granularity } from "./format.js";
import { forEachGroup, forEachRun, layoutOf } from "./layout.js";
import { cases, slowGroup } from "./slow-reference.test.support.js";

describe("layoutOf", () => {
  it("numbers the groups of a tensor in the order of their scales", () => {
    expect(layoutOf([4, 3, 5], { kind: "tensor" })).toMatchObject({ groups: 1, scaleDims: [] });
    expect(layoutOf([4, 3, 5], { kind: "channel", axis: 1 })).toMatchObject({
      groups: 3,
      scaleDims: [3],
    });
    expect(layoutOf([4, 3, 5], { kind: "block", axis: 2, size: 2 })).toMatchObject({
      groups: 36,
      scaleDims: [4, 3, 3],
    });
    expect(layoutOf([7, 3], { kind: "block", axis: 0, size: 4 }).scaleDims).toEqual([2, 3]);
  });

  it("refuses an axis that is not there, and empty blocks", () => {
    expect(() => layoutOf([2, 2], { kind: "channel", axis: 2 })).toThrow(/no axis 2/);
    expect(() => layoutOf([2, 2], { kind: "block", axis: 0, size: 0 })).toThrow(/0 elements/);
  });

  it("visits every element once, in the group that it is in", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format: { granularity } }) => {
        const layout = layoutOf(dims, granularity);
        const seen = new Map<number, number>();
        forEachRun(layout, (start, end, first, step) => {
          for (let i = start; i < end; i += 1) {
            expect(seen.has(i)).toBe(false);
            seen.set(i, first + (i - start) * step);
          }
        });
        expect(seen.size).toBe(values.length);
        const numbers = new Map<string, Set<number>>();
        for (const [element, group] of seen) {
          expect(group).toBeLessThan(layout.groups);
          const key = slowGroup(element, dims, granularity);
          numbers.set(key, (numbers.get(key) ?? new Set()).add(group));
        }
        expect(numbers.size).toBe(layout.groups);
        for (const groups of numbers.values()) expect(groups.size).toBe(1);
      }),
    );
  });
});

describe("forEachGroup", () => {
  const gives = (dims: readonly number[], granularity: Granularity): void => {
    const layout = layoutOf(dims, granularity);
    const values = Float32Array.from({ length: elementCount(dims) }, (_, at) => at);
    const expected = new Map<number, number[]>();
    forEachRun(layout, (start, end, first, step) => {
      for (let at = start; at < end; at += 1) {
        const group = first + (at - start) * step;
        expected.set(group, [...(expected.get(group) ?? []), at]);
      }
    });
    const found = new Map<number, number[]>();
    forEachGroup(layout, values, (elements, start, end, group) => {
      expect(found.has(group)).toBe(false);
      found.set(group, [...elements.subarray(start, end)]);
    });
    expect(found).toEqual(expected);
  };

  it("gives every group's elements, in their order", () => {
    fc.assert(fc.property(cases, ({ dims, format: { granularity } }) => gives(dims, granularity)));
  });

  it.each<[string, number[], Granularity]>([
    ["columns", [9, 37], { kind: "channel", axis: 1 }],
    ["blocks larger than any tensor", [3, 5, 20], { kind: "block", axis: 1, size: 1e12 }],
    ["planes of several rows", [5, 35, 3], { kind: "channel", axis: 1 }],
    [
      "blocks down columns, the last of them short",
      [2, 11, 33],
      { kind: "block", axis: 1, size: 4 },
    ],
  ])("copies no more at a time than a few of many groups: %s", (_, dims, granularity) => {
    gives(dims, granularity);
  });
});

describe("blockView", () => {
  it.each([
    ["a matrix, down its columns", [64, 48], 1, [64, 48], { axis: 0 }],
    ["turned weights, along their rows", [48, 64], 0, [48, 64], { axis: 1 }],
    ["a convolution, over inputs and kernel", [8, 16, 3, 3], 0, [8, 144], { axis: 1 }],
    ["a transposed convolution, over inputs", [64, 8, 3, 3], 1, [64, 72], { axis: 0 }],
    ["recurrent weights, along their inputs", [2, 12, 40], 1, [24, 40], { axis: 1 }],
    ["all elements where there is no channel", [3, 5, 7], undefined, [105], { axis: 0 }],
  ] as const)("lays blocks into %s", (_, dims, axis, view, block) => {
    expect(blockView(dims, axis, 32)).toEqual({
      dims: view,
      granularity: { kind: "block", size: 32, ...block },
    });
  });

  it("leaves a scale per channel where a channel is no longer than a block", () => {
    expect(blockView([16, 1, 5, 5], 0, 32)).toEqual({
      dims: [16, 1, 5, 5],
      granularity: { kind: "channel", axis: 0 },
    });
    expect(blockView([5, 5], undefined, 32).granularity).toEqual({ kind: "tensor" });
  });
});
