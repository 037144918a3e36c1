import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../cases.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));

it("convolves to one to three results of a place as the engine does, transposed too", async () => {
  const problem = fc.record({
    op: fc.constantFrom("Conv", "ConvTranspose"),
    batch: size(1, 2),
    channels: size(33, 50),
    maps: size(1, 3),
    sizes: pair(5, 9),
    kernel: pair(1, 4),
    strides: pair(1, 2),
    dilations: pair(1, 2),
    pads: fc.array(size(0, 1), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    follower: fc.constantFrom("none", "Sigmoid", "gate"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, batch, channels, maps, sizes, kernel, ...p }) => {
      const spans = kernel.map((one, at) => (one - 1) * (p.dilations[at] ?? 1) + 1);
      fc.pre(spans.every((span, at) => span <= (sizes[at] ?? 0)));
      const weights = op === "Conv" ? [maps, channels] : [channels, maps];
      const graph = graphOf({ x: ["float32", batch, channels, ...sizes] }, (input, b) => {
        const y = b.add(
          op,
          [
            b.add("Neg", [input("x")]),
            b.weights(...weights, ...kernel),
            ...(p.bias ? [b.weights(maps)] : []),
          ],
          {
            strides: attribute.ints(p.strides),
            dilations: attribute.ints(p.dilations),
            pads: attribute.ints(p.pads),
          },
        );
        if (p.follower === "gate") return { y: b.add("Mul", [y, b.add("Sigmoid", [y])]) };
        return { y: p.follower === "none" ? y : b.add(p.follower, [y]) };
      });
      const { steps } = await planOf(graph);
      // A phase of a transposed convolution that no tap of its kernel meets has few products, or none; and where a place is
      // asked for itself alone, its channels need not lie side by side: places may.
      const isPointwise = kernel.every((one) => one === 1);
      if (op === "Conv" && channels >= 32 * maps && !isPointwise)
        expect(steps.map((step) => step.kernel)).toContain("dots");
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(60) },
  );
});

it("convolves one channel by a long window as the engine does: a signal, or a picture", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    rows: size(1, 4),
    columns: size(16, 70),
    more: size(0, 60),
    stride: size(1, 5),
    dilation: fc.constantFrom(1, 1, 2),
    pads: fc.array(size(0, 9), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    isGiven: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, rows, columns, more, stride, dilation, ...p }) => {
      const width = dilation * columns + more;
      const graph = graphOf({ x: ["float32", batch, 1, rows + 1, width] }, (input, b) => ({
        y: b.add(
          "Conv",
          [
            p.isGiven ? input("x") : b.add("Conv", [input("x"), b.weights(1, 1, 1, 1)]),
            b.weights(1, 1, rows, columns),
            ...(p.bias ? [b.weights(1)] : []),
          ],
          {
            strides: attribute.ints([1, stride]),
            dilations: attribute.ints([1, dilation]),
            pads: attribute.ints(p.pads),
          },
        ),
      }));
      const { steps } = await planOf(graph);
      // What another convolution makes lies a vector apart.
      if (dilation === 1 && p.isGiven) expect(steps.map((step) => step.kernel)).toContain("dots");
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(40) },
  );
});

it("is for few results of which each has enough to sum", async () => {
  const kernels = async (channels: number, maps: number, kernel: number, group = 1) => {
    const graph = graphOf({ x: ["float32", 1, 2, 8, 8] }, (input, b) => {
      // Its channels lie side by side.
      const x = b.add("Conv", [input("x"), b.weights(channels, 2, 3, 3)]);
      const weights = b.weights(maps, channels / group, kernel, kernel);
      return { y: b.add("Conv", [x, weights], { group: attribute.int(group) }) };
    });
    return (await planOf(graph)).steps.map((step) => step.kernel);
  };
  expect(await kernels(32, 1, 1)).toContain("dots");
  expect(await kernels(16, 3, 3)).toContain("dots");
  expect(await kernels(16, 1, 1)).not.toContain("dots");
  expect(await kernels(64, 4, 3)).not.toContain("dots");
  expect(await kernels(64, 2, 3, 2)).not.toContain("dots");
});
