import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../../ir/index.js";
import { graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { sayVolumes } from "./say-volumes.js";

const { int, ints } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });
const three = (min: number, max: number) =>
  fc.array(size(min, max), { minLength: 3, maxLength: 3 });

const difference = (graph: Graph) => differenceOnceSaid(graph, sayVolumes);

const window = fc.record({
  batch: size(1, 2),
  sizes: three(5, 7),
  kernel: three(1, 3),
  strides: three(1, 2),
  dilations: three(1, 2),
  pads: fc.array(size(0, 1), { minLength: 6, maxLength: 6 }),
  isSame: fc.boolean(),
});

describe("over three axes", () => {
  it("convolves, of every window, in groups and with none", async () => {
    const problem = fc.record({ group: size(1, 3), own: size(1, 2), each: size(1, 2), window });
    await fc.assert(
      fc.asyncProperty(problem, async ({ group, own, each, window: w }) => {
        const graph = graphOf({ x: ["float32", w.batch, group * own, ...w.sizes] }, (input, b) => {
          const weights = b.weights(group * each, own, ...w.kernel);
          const how = w.isSame
            ? { auto_pad: attribute.string("SAME_UPPER") }
            : { pads: ints(w.pads), dilations: ints(w.dilations) };
          const options = { ...how, strides: ints(w.strides), group: int(group) };
          return { y: b.add("Conv", [input("x"), weights, b.weights(group * each)], options) };
        });
        expect(await difference(graph)).toBeLessThan(1e-5);
      }),
      { numRuns: cases(90) },
    );
  });

  it("convolves transposed, of every window, in groups, cut and enlarged", async () => {
    const problem = fc.record({
      group: size(1, 2),
      own: size(1, 2),
      each: size(1, 2),
      extra: three(0, 1),
      isSame: fc.boolean(),
      hasBias: fc.boolean(),
      sizes: three(1, 4),
      window,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ group, own, each, extra, hasBias, window: w, ...p }) => {
        const pads = w.pads.map((pad, at) =>
          Math.min(pad, Math.floor(((w.kernel[at % 3] ?? 1) - 1) / 2)),
        );
        const padding = extra.map((more, axis) => Math.min(more, (w.strides[axis] ?? 1) - 1));
        const graph = graphOf({ x: ["float32", w.batch, group * own, ...p.sizes] }, (input, b) => {
          const inputs = [input("x"), b.weights(group * own, each, ...w.kernel)];
          const how = p.isSame
            ? { auto_pad: attribute.string("SAME_UPPER") }
            : { pads: ints(pads), output_padding: ints(padding) };
          return {
            y: b.add("ConvTranspose", [...inputs, ...(hasBias ? [b.weights(group * each)] : [])], {
              ...how,
              strides: ints(w.strides),
              dilations: ints(w.dilations),
              group: int(group),
            }),
          };
        });
        // A window with gaps may leave zeros alone of the only frame.
        const left = [...sayVolumes(graph.fork()).values()];
        fc.pre(!left.includes("nothing of it is in its result"));
        expect(await difference(graph)).toBeLessThan(1e-5);
      }),
      { numRuns: cases(120) },
    );
  });

  it("resizes, by sizes and by scales, however places are found", async () => {
    const problem = fc.record({
      dims: three(1, 4),
      by: fc.constantFrom<"scales" | "sizes">("scales", "sizes"),
      made: three(1, 7),
      scales: fc.array(fc.constantFrom(1, 1.5, 2, 3, 0.5), { minLength: 3, maxLength: 3 }),
      mode: fc.constantFrom("nearest", "linear"),
      places: fc.constantFrom("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ dims, by, made, scales, mode, places }) => {
        // Of a part of a place engines make what they like, and it is refused.
        const isWhole = dims.every((count, axis) => Number.isInteger(count * (scales[axis] ?? 1)));
        fc.pre(by === "sizes" || isWhole);
        const graph = graphOf({ x: ["float32", 1, 2, ...dims] }, (input, b) => {
          const wanted =
            by === "scales"
              ? [null, b.floats([1, 1, ...scales])]
              : [null, null, b.ints([1, 2, ...made])];
          const attributes = {
            mode: attribute.string(mode),
            coordinate_transformation_mode: attribute.string(places),
          };
          return { y: b.add("Resize", [input("x"), ...wanted], attributes) };
        });
        expect(await difference(graph)).toBeLessThan(1e-5);
      }),
      { numRuns: cases(90) },
    );
  });

  it("puts frames side by side where windows of a transposed convolution do not meet", () => {
    const graph = graphOf({ x: ["float32", 1, 2, 3, 4, 4] }, (input, b) => ({
      y: b.add("ConvTranspose", [input("x"), b.weights(2, 3, 2, 2, 2)], {
        strides: ints([2, 2, 2]),
      }),
    }));
    sayVolumes(graph);
    expect(opsOf(graph)).not.toContain("Pad");
    expect(opsOf(graph)).toContain("ConvTranspose");
  });

  it.each(["by map", "whole"])("convolves integers, of scales %s", async (scales) => {
    const [maps, own] = [4, 2];
    const graph = graphOf({ x: ["float32", 1, own, 4, 5, 5] }, (input, b) => {
      const count = maps * own * 2 * 3 * 3;
      const bytes = Int8Array.from({ length: count }, (_, at) => ((at * 37) % 255) - 127);
      const stored = b.editor.constant("w", Tensor.of("int8", [maps, own, 2, 3, 3], bytes));
      const scale = scales === "whole" ? b.floats([0.01]) : b.floats([0.01, 0.02, 0.03, 0.04]);
      const axis = { axis: int(0) };
      const weights = b.add("DequantizeLinear", [stored, scale], axis);
      return { y: b.add("Conv", [input("x"), weights]) };
    });
    expect(await difference(graph)).toBeLessThan(1e-5);
  });

  it("pools: the largest, the mean with and without pads, last and partial windows, all there is", async () => {
    const problem = fc.record({
      op: fc.constantFrom("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"),
      channels: size(1, 5),
      ceils: size(0, 1),
      counts: size(0, 1),
      window,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ op, channels, ceils, counts, window: w }) => {
        const graph = graphOf({ x: ["float32", w.batch, channels, ...w.sizes] }, (input, b) => {
          // A window that lies in padding alone has no mean.
          const kernel = w.kernel.map((span) => Math.max(2, span));
          const options = {
            kernel_shape: ints(kernel),
            strides: ints(w.strides),
            ceil_mode: int(ceils),
            ...(w.isSame ? { auto_pad: attribute.string("SAME_LOWER") } : { pads: ints(w.pads) }),
            ...(op === "MaxPool" && !w.isSame && { dilations: ints(w.dilations) }),
            ...(op === "AveragePool" && { count_include_pad: int(counts) }),
          };
          return { y: b.add(op, [input("x")], op.startsWith("Global") ? {} : options) };
        });
        expect(await difference(graph)).toBeLessThan(1e-5);
      }),
      { numRuns: cases(90) },
    );
  });

  it("leaves what it has no words for, and says why", async () => {
    const deep = graphOf({ x: ["float32", 1, 1, 80, 2, 2] }, (input, b) => ({
      y: b.add("Conv", [input("x"), b.weights(1, 1, 70, 1, 1)]),
    }));
    expect([...sayVolumes(deep.fork()).values()]).toEqual(["its window is deeper than 64"]);
    expect((await supportOf(deep, aot)).obstacles).toMatchObject([
      { op: "Conv", reason: "its window is deeper than 64" },
    ]);
    const flat = graphOf({ x: ["float32", 1, 1, 8, 8] }, (input, b) => ({
      y: b.add("Conv", [input("x"), b.weights(1, 1, 3, 3)]),
    }));
    expect(sayVolumes(flat).size).toBe(0);
    expect(opsOf(flat)).toEqual(["Conv"]);
  });
});
