import * as fc from "fast-check";
import { elementCount } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../../ir/index.js";
import { graphOf, madeUp, onEngine } from "../../rules/rule-case.test.support.js";
import { relativeError } from "../../wasm/run-model.test.support.js";
import { evaluateGraph } from "./execute.js";

const { int, ints, float, string } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });

/** To a share of the numbers around: what the engine rounds in float32 may be nothing at all in double. */
async function isAsOnEngine(graph: Graph): Promise<void> {
  const feeds = madeUp(graph, {});
  const [want, got] = [await onEngine(graph, feeds), await evaluateGraph(graph, feeds)];
  expect(relativeError(want, got)).toBeLessThan(1e-5);
}

describe("the engine gives the same", () => {
  it("of regions, whatever their size and however they are sampled", async () => {
    const problem = fc.record({
      images: size(1, 2),
      channels: size(1, 2),
      places: fc.tuple(size(1, 6), size(1, 6)),
      corners: fc.array(fc.tuple(size(-4, 12), size(-4, 12), size(0, 12), size(0, 12)), {
        minLength: 1,
        maxLength: 4,
      }),
      scale: fc.constantFrom(1, 0.5),
      ratio: size(0, 3),
      bins: fc.tuple(size(1, 3), size(1, 3)),
      isLargest: fc.boolean(),
      isMoved: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(problem, async (given) => {
        const { corners, images, bins } = given;
        // Of the largest the engine says that it will be another once it takes more than one sample.
        const ratio = given.isLargest ? 1 : given.ratio;
        const rois = corners.flatMap(([x, y, wide, high]) => [x, y, x + wide, y + high]);
        const graph = graphOf(
          { x: ["float32", images, given.channels, ...given.places] },
          (input, b) => ({
            y: b.add(
              "RoiAlign",
              [
                input("x"),
                b.floats(rois, [corners.length, 4]),
                b.ints(corners.map((_, at) => at % images)),
              ],
              {
                mode: string(given.isLargest ? "max" : "avg"),
                spatial_scale: float(given.scale),
                sampling_ratio: int(ratio),
                output_height: int(bins[0]),
                output_width: int(bins[1]),
                coordinate_transformation_mode: string(
                  given.isMoved ? "half_pixel" : "output_half_pixel",
                ),
              },
            ),
          }),
        );
        await isAsOnEngine(graph);
      }),
      { numRuns: 60 },
    );
  });

  it("of convolutions whose taps lie apart", async () => {
    const problem = fc.record({
      group: size(1, 2),
      groups: size(1, 2),
      kernel: fc.tuple(size(1, 3), size(1, 3)),
      strides: fc.tuple(size(1, 2), size(1, 2)),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ group, groups, kernel, strides }) => {
        const channels = 2 * group * groups;
        const image = [6, 5];
        const places = image.map((count, axis) =>
          Math.floor((count - (kernel[axis] ?? 1)) / (strides[axis] ?? 1) + 1),
        );
        const taps = groups * elementCount(kernel);
        const graph = graphOf(
          {
            x: ["float32", 2, channels, ...image],
            offset: ["float32", 2, 2 * taps, ...places],
            mask: ["float32", 2, taps, ...places],
          },
          (input, b) => {
            const weights = b.weights(2 * group, channels / group, ...kernel);
            const inputs = [input("x"), weights, input("offset"), b.weights(2 * group), input("mask")]; // prettier-ignore
            return {
              y: b.add("DeformConv", inputs, {
                strides: ints(strides),
                group: int(group),
                offset_group: int(groups),
              }),
            };
          },
        );
        await isAsOnEngine(graph);
      }),
      { numRuns: 30 },
    );
  });
});

it("takes no more of a file's numbers than there is", async () => {
  const whole = (values: readonly number[]) => Tensor.int64(values);
  const blocks = graphOf({ x: ["float32", 1, 4, 4] }, (input, b) => ({
    y: b.add("Col2Im", [
      input("x"),
      b.editor.constant("image", whole([2, 2])),
      b.editor.constant("block", whole([2 ** 30, 2 ** 30])),
    ], { pads: ints([2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30]) }), // prettier-ignore
  }));
  const unpooled = graphOf({ x: ["float32", 1, 1, 2, 2] }, (input, b) => ({
    y: b.add("MaxUnpool", [input("x"), b.ints([0, 1, 2, 3], [1, 1, 2, 2]), b.ints([1, 1, 4, 4])], {
      kernel_shape: ints([2 ** 40, 2 ** 40]),
    }),
  }));
  for (const graph of [blocks, unpooled])
    await expect(evaluateGraph(graph, madeUp(graph, {}))).rejects.toMatchObject({
      code: "MODEL_SHAPE",
    });
  const sampled = graphOf({ x: ["float32", 1, 1, 2, 2] }, (input, b) => ({
    y: b.add("RoiAlign", [input("x"), b.floats([0, 0, 1, 1], [1, 4]), b.ints([0])], {
      sampling_ratio: int(2 ** 40),
    }),
  }));
  await expect(evaluateGraph(sampled, madeUp(sampled, {}))).rejects.toMatchObject({
    code: "UNSUPPORTED_OP",
  });
});
