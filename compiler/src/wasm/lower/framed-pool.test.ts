import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Attributes } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf, refusalsOf } from "../compile.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

const problem = size(1, 2).chain((rank) =>
  fc.record({
    op: fc.constantFrom("MaxPool", "AveragePool"),
    batch: size(1, 2),
    channels: size(1, 9),
    sizes: list(rank, 5, 13),
    kernel: list(rank, 3, 9),
    strides: list(rank, 1, 2),
    dilations: list(rank, 1, 2),
    before: list(rank, 0, 8),
    after: list(rank, 0, 8),
    ceil: size(0, 1),
    counts: size(0, 1),
    /** What reads it sums over lanes that only pad. */
    follower: fc.constantFrom("none", "Conv", "Concat"),
  }),
);

it("finds the largest of large windows, and means: padded, dilated, partial at the end, joined", async () => {
  const framed = { MaxPool: 0, AveragePool: 0 };
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, kernel, sizes, before, after, follower, ...p }) => {
      const reach = (pads: readonly number[]): number[] =>
        pads.map((pad, at) => Math.min(pad, (kernel[at] ?? 1) - 1));
      const isMean = op === "AveragePool";
      // onnxruntime counts what lies beyond the pads.
      fc.pre(!isMean || p.ceil === 0 || p.counts === 0);
      const attributes: Attributes = {
        kernel_shape: attribute.ints(kernel),
        strides: attribute.ints(p.strides),
        dilations: attribute.ints(p.dilations),
        pads: attribute.ints([...reach(before), ...reach(after)]),
        ceil_mode: attribute.int(p.ceil),
        ...(isMean && { count_include_pad: attribute.int(p.counts) }),
      };
      fc.pre(sizes.every((own, at) => ((kernel[at] ?? 1) - 1) * (p.dilations[at] ?? 1) < own));
      const graph = graphOf({ x: ["float32", p.batch, p.channels, ...sizes] }, (input, b) => {
        const y = b.add(op, [input("x")], attributes);
        const axis = attribute.int(1);
        if (follower === "none") return { y };
        const weights = b.weights(3, p.channels, ...sizes.map(() => 1));
        return {
          y:
            follower === "Conv"
              ? b.add("Conv", [y, weights])
              : b.add("Concat", [b.add("Relu", [y]), y], { axis }),
        };
      });
      fc.pre((await refusalsOf(graph)).length === 0);
      const { buffers } = await planOf(graph);
      if (buffers.some(({ name }) => name === "framed")) framed[op] += 1;
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(150) },
  );
  expect(framed.MaxPool).toBeGreaterThan(5);
  expect(framed.AveragePool).toBeGreaterThan(5);
});

const pool = (
  op: string,
  sizes: readonly number[],
  kernel: number,
  pads: readonly [before: number, after: number],
) =>
  graphOf({ x: ["float32", 1, 1, ...sizes] }, (input, b) => ({
    y: b.add(op, [input("x")], {
      kernel_shape: attribute.ints(sizes.map(() => kernel)),
      pads: attribute.ints(pads.flatMap((pad) => sizes.map(() => pad))),
    }),
  }));

it.each([
  ["AveragePool", [128, 128], 121, 60],
  ["AveragePool", [1024, 1024], 1001, 500],
  ["MaxPool", [5000], 4001, 2000],
  ["AveragePool", [1_000_000], 4096, 0],
] as const)(
  "plans a %s over %j with windows of %i in few steps",
  async (op, sizes, kernel, pad) => {
    const { steps } = await planOf(pool(op, sizes, kernel, [pad, pad]));
    expect(steps.length).toBeLessThan(10);
  },
);

it("refuses pads below 0", async () => {
  expect(await refusalsOf(pool("MaxPool", [12, 12], 5, [-1, 4]))).toEqual([
    expect.objectContaining({ what: "MaxPool", why: "negative pads are not compiled" }),
  ]);
});

it.each([
  ["MaxPool", 2],
  ["AveragePool", 2],
  ["LpPool", 2],
  ["Conv", 2],
  ["MaxPool", 3],
  ["AveragePool", 3],
  ["LpPool", 3],
  ["Conv", 3],
] as const)("refuses a %s over %d axes that the engine pads otherwise", async (op, rank) => {
  const all = <T>(one: T): readonly T[] => Array.from({ length: rank }, () => one);
  const why = async (attributes: Readonly<Record<string, number>>): Promise<string | undefined> => {
    const { stride = 1, dilation = 1, kernel = 3 } = attributes;
    const graph = graphOf({ x: ["float32", 1, 4, ...all(16)] }, (x, b) => ({
      y: b.add(op, op === "Conv" ? [x("x"), b.weights(4, 4, ...all(kernel))] : [x("x")], {
        ...(op !== "Conv" && { kernel_shape: attribute.ints(all(kernel)) }),
        auto_pad: attribute.string("SAME_UPPER"),
        strides: attribute.ints(all(stride)),
        ...(dilation !== 1 && { dilations: attribute.ints(all(dilation)) }),
      }),
    }));
    return (await supportOf(graph, aot)).obstacles[0]?.reason;
  };
  expect(await why({ stride: 2 })).toBeUndefined();
  expect(await why({ stride: 2, kernel: 1 })).toBeUndefined();
  expect(await why({ stride: 4, kernel: 2 })).toMatch(/far apart/);
  if (op !== "Conv") expect(await why({ dilation: 2 })).toMatch(/dilations beside an auto_pad/);
});
