import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Attributes } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { refusalsOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(size(min, max), { minLength: length, maxLength: length });

it("convolves transposed: one axis and two, groups, strides, dilations, pads, what follows", async () => {
  const problem = size(1, 2).chain((rank) =>
    fc.record({
      rank: fc.constant(rank),
      batch: size(1, 2),
      channels: size(1, 6),
      maps: size(1, 9),
      group: size(1, 4),
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
    fc.asyncProperty(problem, async ({ batch, maps, sizes, kernel, ...p }) => {
      const { rank, group, strides, dilations, pads, extra, bias, follower } = p;
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
      fc.pre(outputs.every((own) => own > 0));
      const attributes: Attributes = {
        strides: attribute.ints(strides),
        dilations: attribute.ints(dilations),
        pads: attribute.ints(pads),
        output_padding: attribute.ints(added),
        group: attribute.int(group),
      };
      const channels = p.channels * group;
      const graph = graphOf({ x: ["float32", batch, channels, ...sizes] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const weights = b.weights(channels, maps, ...kernel);
        const y = b.add(
          "ConvTranspose",
          [x, weights, ...(bias ? [b.weights(maps * group)] : [])],
          attributes,
        );
        return { y: follower ? b.add("Relu", [y]) : y };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(120) },
  );
});

it("resizes: to the nearest, linear and cubic, every way to find coordinates", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 2), size(1, 9), size(2, 6), size(2, 6)),
    sizes: fc.tuple(size(1, 9), size(1, 9)),
    mode: fc.constantFrom("linear", "cubic", "nearest"),
    transformation: fc.constantFrom(
      "half_pixel",
      "asymmetric",
      "align_corners",
      "pytorch_half_pixel",
      "half_pixel_symmetric",
      "tf_crop_and_resize",
    ),
    nearest: fc.constantFrom("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
    region: fc.array(fc.constantFrom(-0.25, 0, 0.125, 0.75, 1, 1.25), {
      minLength: 4,
      maxLength: 4,
    }),
    outside: fc.constantFrom(0, -2.5),
    policy: fc.constantFrom("stretch", "stretch", "not_larger", "not_smaller"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, sizes, mode, transformation, ...p }) => {
      const isCrop = transformation === "tf_crop_and_resize";
      // A factor that makes no whole size is that in the standard, and the size over the other in the engine.
      fc.pre(p.policy === "stretch" || transformation !== "align_corners");
      // How the engine's compiler joins the steps of this one, decides about the nearest of two.
      fc.pre(mode !== "nearest" || transformation !== "half_pixel_symmetric");
      const own = dims.slice(2);
      const least = Math.min(...sizes.map((size, at) => size / (own[at] ?? 1)));
      fc.pre(p.policy !== "not_larger" || own.every((one) => least * one >= 0.5));
      // The engine crops no axis that keeps its size.
      fc.pre(!isCrop || (sizes[0] !== dims[2] && sizes[1] !== dims[3]));
      const attributes: Attributes = {
        mode: attribute.string(mode),
        coordinate_transformation_mode: attribute.string(transformation),
        nearest_mode: attribute.string(p.nearest),
        extrapolation_value: attribute.float(p.outside),
        ...(!isCrop && { keep_aspect_ratio_policy: attribute.string(p.policy) }),
        axes: attribute.ints([2, 3]),
      };
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const x = b.add("Neg", [input("x")]);
        const roi = isCrop ? b.floats(p.region) : null;
        const y = b.add("Resize", [x, roi, null, b.ints(sizes)], attributes);
        return { y: b.add("Relu", [y]) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(100) },
  );
});

it("multiplies sizes in single precision, and finds the nearest so, as the engine does", async () => {
  const problem = fc.record({
    own: fc.tuple(size(2, 12), size(2, 12)),
    tenths: fc.tuple(size(3, 40), size(3, 40)),
    mode: fc.constantFrom("linear", "cubic", "nearest"),
    transformation: fc.constantFrom(
      "half_pixel",
      "asymmetric",
      "pytorch_half_pixel",
      "half_pixel_symmetric",
    ),
    nearest: fc.constantFrom("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ own, tenths, mode, transformation, nearest }) => {
      // How the engine's compiler joins the steps of this one, decides about the nearest of two.
      fc.pre(mode !== "nearest" || transformation !== "half_pixel_symmetric");
      const sizes = own.map((one, at) => Math.floor((one * (tenths[at] ?? 0)) / 10 + 1e-6));
      // Where no size changes, the engine looks no further.
      fc.pre(!sizes.includes(0) && sizes.join() !== own.join());
      const graph = graphOf({ x: ["float32", 1, 2, ...own] }, (input, b) => {
        const scales = b.floats([1, 1, ...tenths.map((each) => each / 10)]);
        const attributes: Attributes = {
          mode: attribute.string(mode),
          coordinate_transformation_mode: attribute.string(transformation),
          nearest_mode: attribute.string(nearest),
        };
        return { y: b.add("Resize", [input("x"), null, scales], attributes) };
      });
      expect(await compare(graph)).toBeLessThan(2e-5);
    }),
    { numRuns: cases(100) },
  );
});

it.each([
  ["align_corners", 2, 1.3],
  ["half_pixel", 1, 1.1],
])(
  "refuses %s of scales %f and %f, by which the engine does something else than the standard",
  async (mode, ...scales) => {
    const graph = graphOf({ x: ["float32", 1, 2, 5, 6] }, (input, b) => {
      const places = { coordinate_transformation_mode: attribute.string(mode) };
      return { y: b.add("Resize", [input("x"), null, b.floats([1, 1, ...scales])], places) };
    });
    expect((await refusalsOf(graph)).map(({ why }) => why)).toEqual([
      expect.stringContaining("scaled to no whole size"),
    ]);
  },
);
