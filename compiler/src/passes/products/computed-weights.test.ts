import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph } from "../../ir/index.js";
import { graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { calibrationOn, quantized } from "../quantization/engine-case.test.support.js";
import { quantizeStatic } from "../quantize-static.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { sayProducts } from "./say-products.js";

const { int, ints } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });

const window = fc.integer({ min: 1, max: 2 }).chain((rank) => {
  const along = (min: number, max: number) =>
    fc.array(size(min, max), { minLength: rank, maxLength: rank });
  return fc.record({
    kernel: along(1, 3),
    room: along(0, 4),
    strides: along(1, 3),
    dilations: along(1, 2),
    pads: fc.array(size(0, 2), { minLength: 2 * rank, maxLength: 2 * rank }),
  });
});

const problem = fc.record({
  batch: size(1, 2),
  group: size(1, 3),
  own: size(1, 5),
  maps: size(1, 5),
  window,
  bias: fc.constantFrom("none", "constant", "computed"),
  isComputed: fc.constantFrom(true, true, true, false),
});

type Problem = typeof problem extends fc.Arbitrary<infer P> ? P : never;

/** Weights that another input gives, multiplied, so that no fold makes them constant. */
function convolution(
  op: "Conv" | "ConvTranspose",
  { batch, group, own, maps, window: { kernel, room, strides, dilations, pads }, ...p }: Problem,
): Graph {
  const spans = kernel.map((count, axis) => (count - 1) * (dilations[axis] ?? 1) + 1);
  const image = spans.map((span, axis) => span + (room[axis] ?? 0));
  const channels = group * own;
  const dims = op === "Conv" ? [group * maps, own, ...kernel] : [channels, maps, ...kernel];
  return graphOf(
    {
      x: ["float32", batch, channels, ...image],
      ...(p.isComputed && { w: ["float32", ...dims] as const }),
      ...(p.bias === "computed" && { b: ["float32", group * maps] as const }),
    },
    (input, b) => {
      const weights = p.isComputed ? b.add("Neg", [input("w")]) : b.weights(...dims);
      const bias = { none: [], constant: [b.weights(group * maps)], computed: p.bias === "computed" ? [b.add("Neg", [input("b")])] : [] }[p.bias]; // prettier-ignore
      const y = b.add(op, [b.add("Relu", [input("x")]), weights, ...bias], {
        kernel_shape: ints(kernel),
        strides: ints(strides),
        dilations: ints(dilations),
        pads: ints(op === "Conv" ? pads : pads.map(() => 0)),
        group: int(group),
      });
      return { y: b.add("Relu", [y]) };
    },
  );
}

const difference = (graph: Graph) => differenceOnceSaid(graph, sayProducts);

for (const op of ["Conv", "ConvTranspose"] as const) {
  it(`says a ${op} whose weights, or bias, a run computes`, async () => {
    await fc.assert(
      fc.asyncProperty(problem, async (given) => {
        const graph = convolution(op, given);
        expect((await supportOf(graph, aot)).obstacles).toEqual([]);
        expect(await difference(graph)).toBeLessThan(1e-5);
      }),
      { numRuns: cases(80) },
    );
  });
}

it("pads a transposed convolution as it says", async () => {
  const graph = graphOf({ x: ["float32", 1, 4, 5, 6], w: ["float32", 4, 3, 3, 2] }, (input, b) => ({
    y: b.add("ConvTranspose", [input("x"), input("w")], {
      strides: ints([2, 2]),
      pads: ints([1, 0, 0, 1]),
      output_padding: ints([1, 1]),
      group: int(2),
    }),
  }));
  expect(await difference(graph)).toBeLessThan(1e-5);
});

it("pads evenly where it is told that the result is as large", async () => {
  const graph = graphOf({ x: ["float32", 1, 2, 5, 6], w: ["float32", 3, 2, 3, 2] }, (input, b) => ({
    y: b.add("Conv", [input("x"), input("w")], {
      strides: ints([2, 1]),
      auto_pad: attribute.string("SAME_LOWER"),
    }),
  }));
  expect(await difference(graph)).toBeLessThan(1e-5);
});

it("says what of a computed window is not compiled", async () => {
  const graph = graphOf(
    { x: ["float32", 1, 1, 20, 20], w: ["float32", 1, 1, 17, 17] },
    (input, b) => ({ y: b.add("Conv", [input("x"), input("w")]) }),
  );
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ op, reason }) => [op, reason])).toEqual([
    ["Conv", "its computed window has more than 256 places"],
  ]);
});

it("refuses a window that it would have to write down place by place", () => {
  const wide = 2 ** 20;
  const graph = graphOf(
    { x: ["float32", 1, 1, wide, wide], w: ["float32", 1, 1, wide, wide] },
    (input, b) => ({
      y: b.add("Conv", [input("x"), input("w")]),
      z: b.add("ConvTranspose", [input("x"), input("w")]),
    }),
  );
  expect([...sayProducts(graph).values()]).toEqual([
    "its computed window has more than 256 places",
    "its computed window has more than 64 places",
  ]);
});

it("leaves weights that are decoded from integers", async () => {
  const graph = graphOf({ x: ["float32", 1, 2, 5, 5] }, (input, b) => ({
    y: b.add("Conv", [input("x"), b.weights(3, 2, 3, 3), b.weights(3)]),
  }));
  const integers = await quantized(quantizeStatic, graph, {}, calibrationOn(graph, [{}]));
  const before = opsOf(integers);
  sayProducts(integers);
  expect(opsOf(integers)).toEqual(before);
});
