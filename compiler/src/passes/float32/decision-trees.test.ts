import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attribute, type Attributes, Tensor } from "../../ir/index.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, classical, difference } from "../classical/classical-case.test.support.js"; // prettier-ignore
import { features, forest, listed, samples, size } from "../classical/forest.test.support.js";

/** Beside what a float can be: a threshold that a float is not equal to. */
const offset = fc.constantFrom(0, 2 ** -40, -(2 ** -40));

/** The same lists, in float64; no threshold is where it was. */
function inDoubles(lists: Attributes, by: number): Attributes {
  const names = ["nodes_values", "target_weights", "class_weights"];
  return Object.fromEntries(
    Object.entries(lists).map(([name, own]): readonly [string, Attribute] => {
      if (own?.type !== "floats" || !names.includes(name)) return [name, own];
      const values = own.value.map((x) => (name === "nodes_values" ? x + by : x));
      const data = Float64Array.from(values);
      return [`${name}_as_tensor`, attribute.tensor(Tensor.of("float64", [data.length], data))];
    }),
  );
}

it.each(["target", "class"] as const)(
  "asks of every float what thresholds in float64 ask, trees of a %s",
  async (of) => {
    const problem = fc.record({ forest, samples, by: offset, count: size(2, 3) });
    await fc.assert(
      fc.asyncProperty(problem, async ({ forest: trees, samples: given, by, count }) => {
        const isOfTargets = of === "target";
        const classes = [0, 1, 2].slice(0, isOfTargets ? count : 3);
        const graph = classical(
          isOfTargets ? "TreeEnsembleRegressor" : "TreeEnsembleClassifier",
          { x: ["float64", 4, features] },
          {
            ...inDoubles(listed(trees, of, classes), by),
            ...(isOfTargets
              ? { n_targets: attribute.int(count) }
              : { classlabels_int64s: attribute.ints([7, 3, 5]) }),
          },
          isOfTargets ? ["y"] : ["label", "scores"],
        );
        expect((await supportOf(graph, aot)).obstacles).toEqual([]);
        const x = {
          ...given,
          type: "float64" as const,
          data: Float64Array.from(given.data, Number),
        };
        expect(difference(await byEngine(graph, { x }), await byModule(graph, { x }))).toBe(0);
      }),
      { numRuns: cases(60) },
    );
  },
);
