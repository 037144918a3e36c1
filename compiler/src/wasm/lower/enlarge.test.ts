import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attributes } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

it("convolves transposed: one axis and two, strides, dilations, pads, what follows", async () => {
  const problem = size(1, 2).chain((rank) =>
    fc.record({
      rank: fc.constant(rank),
      batch: size(1, 2),
      channels: size(1, 6),
      maps: size(1, 9),
      sizes: list(rank, 1, 5),
      kernel: list(rank, 1, 4),
      strides: list(rank, 1, 3),
      dilations: list(rank, 1, 2),
      pads: list(rank * 2, 0, 1),
      extra: list(rank, 0, 1),
      bias: fc.boolean(),
      follower: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, channels, maps, sizes, kernel, ...p }) => {
      const { rank, strides, dilations, pads, extra, bias, follower } = p;
      // An output_padding must be below the stride or the dilation, and something must be left.
      const added = extra.map((one, at) => Math.min(one, (strides[at] ?? 1) - 1));
      const outputs = sizes.map((own, at) => {
        const span = ((kernel[at] ?? 1) - 1) * (dilations[at] ?? 1) + 1;
        return (
          (own - 1) * (strides[at] ?? 1) +
          span +
          (added[at] ?? 0) -
          (pads[at] ?? 0) -
          (pads[at + rank] ?? 0)
        );
      });
      // Strides beyond the kernel leave places that nothing reaches: those are refused.
      const isReached = kernel.every((own, at) =>
        dilations[at] === 1 ? own >= (strides[at] ?? 1) : strides[at] === 1,
      );
      fc.pre(outputs.every((own) => own > 0) && isReached);
      const attributes: Attributes = {
        strides: attribute.ints(strides),
        dilations: attribute.ints(dilations),
        pads: attribute.ints(pads),
        output_padding: attribute.ints(added),
      };
      const graph = graphOf({ x: ["float32", batch, channels, ...sizes] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const weights = b.weights(channels, maps, ...kernel);
        const y = b.add(
          "ConvTranspose",
          [x, weights, ...(bias ? [b.weights(maps)] : [])],
          attributes,
        );
        return { y: follower ? b.add("Relu", [y]) : y };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: 120 },
  );
});

it("resizes between elements: linear and cubic, every way to find coordinates", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 2), size(1, 9), size(2, 6), size(2, 6)),
    sizes: fc.tuple(size(1, 9), size(1, 9)),
    mode: fc.constantFrom("linear", "cubic"),
    transformation: fc.constantFrom(
      "half_pixel",
      "asymmetric",
      "align_corners",
      "pytorch_half_pixel",
    ),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, sizes, mode, transformation }) => {
      const [batch, channels] = dims;
      const attributes: Attributes = {
        mode: attribute.string(mode),
        coordinate_transformation_mode: attribute.string(transformation),
      };
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const y = b.add("Resize", [x, null, null, b.ints([batch, channels, ...sizes])], attributes);
        return { y: b.add("Relu", [y]) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: 100 },
  );
});
