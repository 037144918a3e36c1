import * as fc from "fast-check";
import { expect, it } from "vitest";
import { padding, tapsOf, type WindowAxis } from "../../ops/families/window.js";
import { spansOf } from "./window-spans.js";

const size = (min: number, max: number) => fc.integer({ min, max });

it("cuts windows into spans that reach what each of their windows does", () => {
  const axis: fc.Arbitrary<WindowAxis> = fc.record({
    size: size(1, 12),
    kernel: size(1, 7),
    stride: size(1, 4),
    dilation: size(1, 3),
    before: size(-2, 6),
    after: size(-2, 6),
    output: size(1, 12),
  });
  fc.assert(
    fc.property(axis, fc.boolean(), (each, countPadding) => {
      const { indices, windows, taps } = tapsOf([each]);
      const spans = spansOf(each, countPadding);
      const found = spans.flatMap((span) => Array.from({ length: span.count }, () => span));
      expect(found).toHaveLength(windows);
      for (const span of spans) expect(found.indexOf(span)).toBe(span.start);
      found.forEach((span, window) => {
        const own = [...indices.subarray(window * taps, (window + 1) * taps)];
        const inside = own.filter((index) => index >= 0).length;
        expect(span.taps).toBe(inside);
        if (inside > 0) expect(span.firstTap).toBe(own.findIndex((index) => index >= 0));
        const counted = own.filter((index) => index >= padding).length;
        expect(span.counted).toBe(countPadding ? counted : inside);
      });
    }),
    { numRuns: 1000 },
  );
});

it("looks at no element of a window, nor at each of those that are alike", () => {
  const sizes = { size: 2 ** 40, kernel: 4096, stride: 1, dilation: 1 };
  const axis = { ...sizes, before: 0, after: 0, output: 2 ** 40 - 4095 };
  const whole = { firstTap: 0, taps: 4096, counted: 4096 };
  expect(spansOf(axis, false)).toEqual([{ start: 0, count: axis.output, ...whole }]);
});
