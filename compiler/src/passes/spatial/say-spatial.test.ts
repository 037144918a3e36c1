import { elementCount } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../../ir/index.js";
import { graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { saySpatial } from "./say-spatial.js";

const { int, ints } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));

const difference = (graph: Graph) => differenceOnceSaid(graph, saySpatial);

it("convolves what lies apart from a window's places", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    group: size(1, 2),
    groups: size(1, 2),
    own: size(1, 3),
    maps: size(1, 3),
    kernel: pair(1, 3),
    room: pair(0, 4),
    strides: pair(1, 2),
    dilations: pair(1, 2),
    pads: fc.tuple(size(0, 1), size(0, 1), size(0, 2), size(0, 2)),
    isMasked: fc.boolean(),
    isBiased: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (given) => {
      const { batch, group, groups, kernel, strides, dilations, pads } = given;
      const channels = group * groups * given.own;
      const maps = group * given.maps;
      const spans = kernel.map((count, axis) => (count - 1) * (dilations[axis] ?? 1) + 1);
      const image = spans.map((span, axis) => span + (given.room[axis] ?? 0));
      const places = image.map((count, axis) => {
        const room = count + (pads[axis] ?? 0) + (pads[axis + 2] ?? 0) - (spans[axis] ?? 1);
        return Math.floor(room / (strides[axis] ?? 1)) + 1;
      });
      const taps = groups * elementCount(kernel);
      const graph = graphOf(
        {
          x: ["float32", batch, channels, ...image],
          offset: ["float32", batch, taps * 2, ...places],
          ...(given.isMasked && { mask: ["float32", batch, taps, ...places] as const }),
        },
        (input, b) => ({
          y: b.add(
            "DeformConv",
            [
              input("x"),
              b.weights(maps, channels / group, ...kernel),
              input("offset"),
              given.isBiased ? b.weights(maps) : null,
              ...(given.isMasked ? [input("mask")] : []),
            ],
            {
              kernel_shape: ints(kernel),
              strides: ints(strides),
              dilations: ints(dilations),
              pads: ints(pads),
              group: int(group),
              offset_group: int(groups),
            },
          ),
        }),
      );
      expect(await difference(graph)).toBeLessThan(1e-4);
    }),
    { numRuns: cases(60) },
  );
});

it("pools by norms", async () => {
  const problem = fc.record({
    channels: size(1, 3),
    kernel: pair(1, 3),
    room: pair(0, 4),
    strides: pair(1, 2),
    dilations: pair(1, 2),
    pads: fc.tuple(size(0, 1), size(0, 1), size(0, 1), size(0, 1)),
    p: size(1, 3),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ channels, kernel, room, strides, dilations, pads, p }) => {
      const image = kernel.map((count, axis) => count * 2 + (room[axis] ?? 0));
      const graph = graphOf({ x: ["float32", 2, channels, ...image] }, (input, b) => ({
        y: b.add("LpPool", [input("x")], {
          kernel_shape: ints(kernel),
          strides: ints(strides),
          dilations: ints(dilations),
          // Less than the window, which onnxruntime demands.
          pads: ints(pads.map((count, at) => Math.min(count, (kernel[at % 2] ?? 1) - 1))),
          p: int(p),
        }),
        all: b.add("GlobalLpPool", [input("x")], { p: int(p) }),
      }));
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(await difference(graph)).toBeLessThan(1e-4);
    }),
    { numRuns: cases(40) },
  );
});

it("pools by no norm over a window that a file only claims", () => {
  const pool = (...kernel: readonly number[]) =>
    graphOf({ x: ["float32", 1, 2, 2 ** 20, 2 ** 20] }, (input, b) => ({
      y: b.add("LpPool", [input("x")], { kernel_shape: ints(kernel) }),
    }));
  const said = (...kernel: readonly number[]) => [...saySpatial(pool(...kernel)).values()];
  expect(said(2 ** 20, 2 ** 20)).toEqual(["its window has more than 65536 places"]);
  expect(said(2 ** 30, 1)).toEqual(["its window does not fit"]);
  expect(said(0, 2)).toEqual(["its window does not fit"]);
});

it("samples at no offsets of a window that a file only claims", () => {
  const deformed = (...kernel: readonly number[]) =>
    graphOf(
      {
        x: ["float32", 1, 1, 4, 4],
        weights: ["float32", 1, 1, ...kernel],
        offsets: ["float32", 1, 8, 1, 1],
      },
      (input, b) => ({
        y: b.add("DeformConv", [input("x"), input("weights"), input("offsets")]),
      }),
    );
  const said = (...kernel: readonly number[]) => [...saySpatial(deformed(...kernel)).values()];
  expect(said(2 ** 20, 2 ** 20)).toEqual(["its window does not fit"]);
  expect(said(0, 2)).toEqual(["its window does not fit"]);
});

it("lays grids for images and volumes", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    places: fc.array(size(2, 5), { minLength: 2, maxLength: 3 }),
    aligned: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, places, aligned }) => {
      const axes = places.length;
      const graph = graphOf({ theta: ["float32", batch, axes, axes + 1] }, (input, b) => ({
        y: b.add("AffineGrid", [input("theta"), b.ints([batch, 3, ...places])], {
          align_corners: int(aligned ? 1 : 0),
        }),
      }));
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(30) },
  );
});

it("cuts and pads about the middle", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 3), size(1, 6), size(1, 6)),
    wanted: pair(1, 8),
    axes: fc.constantFrom([1, 2], [-1, 0], [2, 1]),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, wanted, axes }) => {
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => ({
        y: b.add("CenterCropPad", [input("x"), b.ints(wanted)], { axes: ints(axes) }),
      }));
      expect(await difference(graph)).toBe(0);
    }),
    { numRuns: cases(40) },
  );
});

it("joins blocks into images, whether they overlap, touch or leave places out", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    channels: size(1, 3),
    block: pair(1, 3),
    counts: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 2),
    pads: fc.tuple(size(0, 1), size(0, 1), size(0, 1), size(0, 1)),
    rest: pair(0, 2),
    isTouching: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, channels, block, counts, ...given }) => {
      const strides = given.isTouching ? block : given.strides;
      const dilations = given.isTouching ? [1, 1] : given.dilations;
      const pads = given.isTouching ? [0, 0, 0, 0] : given.pads;
      const image = counts.map((count, axis) => {
        const span = ((block[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1;
        const covered = (count - 1) * (strides[axis] ?? 1) + span;
        const rest = given.isTouching
          ? 0
          : Math.min(given.rest[axis] ?? 0, (strides[axis] ?? 1) - 1);
        return covered + rest - (pads[axis] ?? 0) - (pads[axis + 2] ?? 0);
      });
      fc.pre(image.every((count) => count > 0));
      const dims = [batch, channels * elementCount(block), elementCount(counts)];
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => ({
        y: b.add("Col2Im", [input("x"), b.ints(image), b.ints(block)], {
          strides: ints(strides),
          dilations: ints(dilations),
          pads: ints(pads),
        }),
      }));
      const moved = graph.fork();
      saySpatial(moved);
      expect(opsOf(moved).includes("ConvTranspose")).toBe(
        !(
          strides[0] === block[0] &&
          strides[1] === block[1] &&
          isPlain(dilations, pads, image, block)
        ),
      );
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(60) },
  );
});

function isPlain(
  dilations: readonly number[],
  pads: readonly number[],
  image: readonly number[],
  block: readonly number[],
): boolean {
  return (
    dilations.every((step) => step === 1) &&
    pads.every((count) => count === 0) &&
    image.every((count, axis) => count % (block[axis] ?? 1) === 0)
  );
}

it("finds where the largest of windows are, and puts them back there", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    channels: size(1, 5),
    kernel: pair(1, 3),
    strides: pair(1, 2),
    counts: pair(1, 4),
    dilation: size(1, 2),
    padded: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, channels, kernel, strides, counts, ...given }) => {
      const dilations = [1, given.dilation];
      const pads = kernel.map((count) => (given.padded && count > 1 ? 1 : 0));
      const image = counts.map(
        (count, axis) =>
          (count - 1) * (strides[axis] ?? 1) +
          ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) +
          1 -
          (pads[axis] ?? 0),
      );
      fc.pre(image.every((count) => count > 0));
      const window = {
        kernel_shape: ints(kernel),
        strides: ints(strides),
        pads: ints([...pads, 0, 0]),
      };
      const graph = graphOf({ x: ["float32", batch, channels, ...image] }, (input, b) => {
        const dilated = { ...window, dilations: ints(dilations) };
        const [largest, places] = b.many("MaxPool", 2, [input("x")], dilated);
        if (largest === undefined || places === undefined) throw new Error("no pool");
        // A window that is spread out covers more than MaxUnpool knows of.
        if (given.dilation > 1) return { largest, places };
        return { places, back: b.add("MaxUnpool", [b.add("Exp", [largest]), places], window) };
      });
      expect(await difference(graph)).toBeLessThan(1e-5);
    }),
    { numRuns: cases(60) },
  );
});

it("says what stands against what is not said", async () => {
  const graph = graphOf(
    {
      x: ["float32", 1, 4, 4],
      size: ["int64", 2],
      image: ["float32", 1, 2, 5, 5],
      bytes: ["uint8", 1, 2, 4, 4],
    },
    (input, b) => ({
      y: b.add("CenterCropPad", [input("x"), input("size")], { axes: ints([1, 2]) }),
      z: b.add("Col2Im", [
        input("x"),
        b.editor.constant("image", Tensor.int64([4, 4])),
        b.editor.constant("block", Tensor.int64([3, 3])),
      ]),
      grid: b.add("AffineGrid", [input("x"), b.ints([2, 3, 4, 4])]),
      cut: b.add("CenterCropPad", [input("x"), b.ints([2, 2])]),
      sampled: b.add("DeformConv", [input("image"), b.weights(2, 2, 3, 3), input("image")]),
      back: b.add("MaxUnpool", [input("image"), b.ints([0, 1])], { kernel_shape: ints([2, 2]) }),
      found:
        b.many("MaxPool", 2, [input("bytes")], { kernel_shape: ints([2, 2]) })[1] ?? input("x"),
    }),
  );
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ op, reason }) => `${op}: ${reason}`)).toMatchInlineSnapshot(`
    [
      "AffineGrid: its operands do not fit",
      "CenterCropPad: its sizes are not known",
      "CenterCropPad: it has not a size for each of its axes",
      "Col2Im: its blocks are not those of its image",
      "DeformConv: its operands do not fit",
      "MaxPool: places of integers are not compiled",
      "MaxUnpool: its operands do not fit",
    ]
  `);
});
