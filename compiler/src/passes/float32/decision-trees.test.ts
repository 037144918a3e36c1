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
      const isMoved = (at: number): boolean =>
        name === "nodes_values" && !isExact(lists["nodes_modes"], at);
      const values = own.value.map((x, at) => (isMoved(at) ? x + by : x));
      const data = Float64Array.from(values);
      return [`${name}_as_tensor`, attribute.tensor(Tensor.of("float64", [data.length], data))];
    }),
  );
}

/** Does a node ask for a number itself? */
function isExact(modes: Attribute | undefined, at: number): boolean {
  const mode = modes?.type === "strings" ? modes.value[at] : undefined;
  return mode === "BRANCH_EQ" || mode === "BRANCH_NEQ";
}

it("leaves trees that ask for a number that no float is", async () => {
  const leaf = { weights: [1, 2, 3] };
  const asking = { feature: 0, value: 0.5, mode: "BRANCH_EQ", missing: false, first: leaf, second: { weights: [0, 0, 0] } }; // prettier-ignore
  const lists = listed([asking], "target", [0]);
  const at = (value: number): Attributes => ({
    ...inDoubles(lists, 0),
    nodes_values_as_tensor: attribute.tensor(Tensor.of("float64", [3], Float64Array.of(value, 0, 0))), // prettier-ignore
  });
  const graphOfTrees = (value: number) =>
    classical("TreeEnsembleRegressor", { x: ["float64", 1, features] }, at(value));
  expect((await supportOf(graphOfTrees(0.5), aot)).obstacles).toEqual([]);
  const { obstacles } = await supportOf(graphOfTrees(0.1), aot);
  expect(obstacles.length).toBeGreaterThan(0);
});

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
