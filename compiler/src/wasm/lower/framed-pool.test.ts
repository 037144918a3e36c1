import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Attributes } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf, refusalsOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));

const problem = fc.record({
  batch: size(1, 2),
  channels: size(1, 9),
  sizes: pair(5, 13),
  kernel: pair(3, 9),
  strides: pair(1, 2),
  dilations: pair(1, 2),
  before: pair(0, 8),
  after: pair(0, 8),
  ceil: size(0, 1),
  /** What reads it sums over lanes that only pad. */
  follower: fc.constantFrom("none", "Conv", "Concat"),
});

it("finds the largest of large windows: padded, dilated, partial at the end, joined", async () => {
  let framed = 0;
  await fc.assert(
    fc.asyncProperty(problem, async ({ kernel, sizes, before, after, follower, ...p }) => {
      const reach = (pads: readonly number[]): number[] =>
        pads.map((pad, at) => Math.min(pad, (kernel[at] ?? 1) - 1));
      const attributes: Attributes = {
        kernel_shape: attribute.ints(kernel),
        strides: attribute.ints(p.strides),
        dilations: attribute.ints(p.dilations),
        pads: attribute.ints([...reach(before), ...reach(after)]),
        ceil_mode: attribute.int(p.ceil),
      };
      fc.pre(sizes.every((own, at) => ((kernel[at] ?? 1) - 1) * (p.dilations[at] ?? 1) < own));
      const graph = graphOf({ x: ["float32", p.batch, p.channels, ...sizes] }, (input, b) => {
        const y = b.add("MaxPool", [input("x")], attributes);
        const axis = attribute.int(1);
        if (follower === "none") return { y };
        return {
          y:
            follower === "Conv"
              ? b.add("Conv", [y, b.weights(3, p.channels, 1, 1)])
              : b.add("Concat", [b.add("Relu", [y]), y], { axis }),
        };
      });
      fc.pre((await refusalsOf(graph)).length === 0);
      const { steps } = await planOf(graph);
      if (steps.some(({ at }) => at.some(({ in: held }) => held.kind === "buffer" && held.name === "framed"))) framed += 1; // prettier-ignore
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(120) },
  );
  expect(framed).toBeGreaterThan(20);
});
