import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { refusalsOf } from "../compile.js";
import { differenceOfNumbers } from "../run-model.test.support.js";

/** A row of so many, counted, made another length. */
function resized(
  from: number,
  to: number,
  places: string,
  how: Readonly<Record<string, string>>,
  roi?: readonly number[],
) {
  return graphOf({ x: ["float32", 1, 1, 1, from] }, (input, b) => ({
    y: b.add("Resize", [input("x"), roi ? b.floats(roi, [8]) : null, null, b.ints([1, 1, 1, to])], {
      coordinate_transformation_mode: attribute.string(places),
      ...Object.fromEntries(
        Object.entries(how).map(([name, value]) => [name, attribute.string(value)]),
      ),
    }),
  }));
}

const feeds = (from: number) => ({
  x: {
    type: "float32" as const,
    dims: [1, 1, 1, from],
    data: Float32Array.from({ length: from }, (_, at) => at + 1),
  },
});

it.each([
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "asymmetric",
  "align_corners",
])("chooses the nearest as the engine does, halves and whole places too: %s", async (places) => {
  for (const nearest of ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    for (const [from, to] of [
      [14, 19],
      [11, 15],
      [3, 1],
      [7, 22],
      [13, 5],
      [17, 24],
    ] as const) {
      const graph = resized(from, to, places, { nearest_mode: nearest });
      const found = await differenceOfNumbers(graph, feeds(from));
      expect([nearest, from, to, found]).toEqual([nearest, from, to, undefined]);
    }
});

it("takes a place at the edge of a crop for one inside, as the engine does", async () => {
  const roi = [0, 0, 0, -0.2, 1, 1, 1, 0.9];
  const graph = resized(4, 12, "tf_crop_and_resize", { mode: "linear" }, roi);
  expect(await differenceOfNumbers(graph, feeds(4))).toBeUndefined();
});

it("refuses a crop that leaves a size as it was, which engines do not crop", async () => {
  const roi = [0, 0, 0, 0.25, 1, 1, 1, 0.75];
  const crop = (to: number) => resized(4, to, "tf_crop_and_resize", { mode: "linear" }, roi);
  expect((await refusalsOf(crop(4)))[0]?.why).toBeDefined();
  expect(await refusalsOf(crop(8))).toEqual([]);
});
