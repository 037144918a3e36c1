import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../cases.test.support.js";
import { compare, differenceOfNumbers } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });

function sampled(
  sizes: readonly number[],
  places: readonly number[],
  attributes: Readonly<Record<string, string>>,
  aligned: boolean,
) {
  // prettier-ignore
  const [batch = 1] = sizes;
  return graphOf(
    { x: ["float32", ...sizes], grid: ["float32", batch, ...places, places.length] },
    (input, b) => {
      // Some points lie beyond the image.
      const grid = b.add("Mul", [input("grid"), b.floats([1.4], [])]);
      return {
        y: b.add("GridSample", [input("x"), grid], {
          ...Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, attribute.string(value)]),
          ),
          align_corners: attribute.int(aligned ? 1 : 0),
        }),
      };
    },
  );
}

it("samples images at computed places as the engine does, between places and beyond the border", async () => {
  const problem = fc.record({
    sizes: fc.tuple(size(1, 2), size(1, 9), size(1, 7), size(1, 7)),
    places: fc.tuple(size(1, 5), size(1, 5)),
    mode: fc.constantFrom("linear", "nearest", "cubic"),
    padding: fc.constantFrom("zeros", "border", "reflection"),
    aligned: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ sizes, places, mode, padding, aligned }) => {
      const graph = sampled(sizes, places, { mode, padding_mode: padding }, aligned);
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(120) },
  );
});

it("says that a volume is not compiled", async () => {
  const { obstacles } = await supportOf(sampled([1, 2, 4, 4, 4], [3, 3, 3], {}, false), aot);
  expect(obstacles.map(({ reason }) => reason).join()).toContain("images alone");
});

it("chooses the nearest before it looks into the mirror", async () => {
  const graph = graphOf(
    { x: ["float32", 1, 1, 4, 5], grid: ["float32", 1, 1, 4, 2] },
    (input, b) => ({
      y: b.add("GridSample", [input("x"), input("grid")], {
        mode: attribute.string("nearest"),
        padding_mode: attribute.string("reflection"),
      }),
    }),
  );
  const floats = (dims: readonly number[], values: readonly number[]) => ({
    type: "float32" as const,
    dims,
    data: Float32Array.from(values),
  });
  // Halves beyond the last row and the first: 4.5, -0.5, 5.5 and -1.5 of four.
  const grid = floats([1, 1, 4, 2], [0.5, 1.5, 0.5, -1, 0.5, 2, 0.5, -1.5]);
  const x = floats(
    [1, 1, 4, 5],
    Array.from({ length: 20 }, (_, at) => at),
  );
  expect(await differenceOfNumbers(graph, { x, grid })).toBeUndefined();
});
