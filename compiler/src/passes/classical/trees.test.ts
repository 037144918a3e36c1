import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attributes } from "../../ir/index.js";
import { aot } from "../../targets/aot.js";
import { obstacleText, supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, classical, difference, strings } from "./classical-case.test.support.js"; // prettier-ignore
import { features, forest, listed, samples, size } from "./forest.test.support.js"; // prettier-ignore

it("sums and averages trees as the engine does, whatever nodes ask", async () => {
  const problem = fc.record({
    forest,
    samples,
    targets: size(1, 3),
    aggregate: fc.constantFrom("SUM", "AVERAGE"),
    bases: fc.boolean(),
    transform: fc.constantFrom("NONE", "LOGISTIC", "SOFTMAX"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ forest: trees, samples: x, targets, aggregate, ...p }) => {
      const classes = [0, 1, 2].slice(0, targets);
      const graph = classical(
        "TreeEnsembleRegressor",
        { x: ["float32", 4, features] },
        {
          ...listed(trees, "target", classes),
          n_targets: attribute.int(targets),
          aggregate_function: attribute.string(aggregate),
          post_transform: attribute.string(targets === 1 ? "NONE" : p.transform),
          ...(p.bases && { base_values: attribute.floats(classes.map((at) => at - 0.5)) }),
        },
      );
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(difference(await byEngine(graph, { x }), await byModule(graph, { x }))).toBeLessThan(1e-5); // prettier-ignore
    }),
    { numRuns: cases(60) },
  );
});

it("tells classes by trees as the engine does: two by one score or both, and more", async () => {
  const problem = fc.record({
    forest,
    samples,
    classes: fc.constantFrom([0], [1], [0, 1], [0, 1, 2]),
    isShare: fc.boolean(),
    text: fc.boolean(),
    base: fc.boolean(),
    transform: fc.constantFrom("NONE", "LOGISTIC", "SOFTMAX"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ forest: trees, samples: x, classes, ...p }) => {
      const listedScores = listed(trees, "class", classes);
      const weights = listedScores["class_weights"];
      const positive = weights?.type === "floats" ? weights.value.map(Math.abs) : [];
      const labels = classes.length < 3 ? [0, 1] : [7, 3, 5];
      const bases = classes.length === 3 ? [0.5, -0.25, 0] : classes[0] === 0 && classes.length === 1 ? [0.25] : []; // prettier-ignore
      const graph = classical(
        "TreeEnsembleClassifier",
        { x: ["float32", 4, features] },
        {
          ...listedScores,
          ...(p.isShare && { class_weights: attribute.floats(positive) }),
          ...(p.base && bases.length > 0 && { base_values: attribute.floats(bases) }),
          ...(p.text
            ? { classlabels_strings: strings(labels.map((label) => `class ${label}`)) }
            : { classlabels_int64s: attribute.ints(labels) }),
          post_transform: attribute.string(p.transform),
        },
        ["label", "scores"],
      );
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(difference(await byEngine(graph, { x }), await byModule(graph, { x }))).toBeLessThan(1e-5); // prettier-ignore
    }),
    { numRuns: cases(60) },
  );
});

/** Two leaves below one question. */
const stump: Attributes = {
  nodes_treeids: attribute.ints([0, 0, 0]),
  nodes_nodeids: attribute.ints([0, 1, 2]),
  nodes_featureids: attribute.ints([1, 0, 0]),
  nodes_values: attribute.floats([0.5, 0, 0]),
  nodes_modes: strings(["BRANCH_LEQ", "LEAF", "LEAF"]),
  nodes_truenodeids: attribute.ints([1, 0, 0]),
  nodes_falsenodeids: attribute.ints([2, 0, 0]),
  target_treeids: attribute.ints([0, 0]),
  target_nodeids: attribute.ints([1, 2]),
  target_ids: attribute.ints([0, 0]),
  target_weights: attribute.floats([1, 2]),
};

it("lets no word of a file begin a line of its own where it says why", async () => {
  const asked = { nodes_modes: strings(["\nerror: x", "LEAF", "LEAF"]) };
  const graph = classical(
    "TreeEnsembleRegressor",
    { x: ["float32", 1, 2] },
    { ...stump, ...asked },
  );
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(obstacleText).join()).toContain("\\u{a}error: x is no question");
  await expect(aot.emit(graph, {})).rejects.toMatchObject({
    message: expect.not.stringContaining("\n"),
  });
});

it.each<readonly [what: string, attributes: Attributes, reason: string]>([
  ["nothing wrong", {}, ""],
  ["a circle", { nodes_truenodeids: attribute.ints([0, 0, 0]) }, "its nodes are no trees"],
  ["a node that two share", { nodes_falsenodeids: attribute.ints([1, 0, 0]) }, "its nodes are no trees"], // prettier-ignore
  [
    "a branch to nowhere",
    { nodes_truenodeids: attribute.ints([9, 0, 0]) },
    "its nodes are no trees",
  ],
  ["two of one name", { nodes_nodeids: attribute.ints([0, 1, 1]) }, "its nodes are no trees"],
  ["a tree in two parts", { nodes_treeids: attribute.ints([0, 1, 0]) }, "its nodes are no trees"],
  ["a feature behind the last", { nodes_featureids: attribute.ints([2, 0, 0]) }, "a feature that there is not"], // prettier-ignore
  ["a feature before the first", { nodes_featureids: attribute.ints([-1, 0, 0]) }, "a feature that there is not"], // prettier-ignore
  ["a huge feature", { nodes_featureids: attribute.ints([2n ** 62n, 0n, 0n]) }, "a feature that there is not"], // prettier-ignore
  ["no number to compare with", { nodes_values: attribute.floats([NaN, 0, 0]) }, "no number"],
  ["another question", { nodes_modes: strings(["BRANCH_OFF", "LEAF", "LEAF"]) }, "no question"],
  ["a short list", { nodes_values: attribute.floats([0.5]) }, "not equally long"],
  ["no lists", { nodes_treeids: attribute.ints([]) }, "not equally long"],
  ["a score of no leaf", { target_nodeids: attribute.ints([1, 7]) }, "no leaf or no target"],
  ["a score of no target", { target_ids: attribute.ints([0, 3]) }, "no leaf or no target"],
  [
    "nodes that nobody comes to",
    { nodes_modes: strings(["LEAF", "LEAF", "LEAF"]), target_nodeids: attribute.ints([0, 1]) },
    "in no tree",
  ],
  ["two scores of one leaf", { target_nodeids: attribute.ints([1, 1]) }, "two scores"],
  [
    "a leaf with a number and no score",
    {
      nodes_values: attribute.floats([0.5, 0, 3]),
      target_nodeids: attribute.ints([1]),
      target_treeids: attribute.ints([0]),
      target_ids: attribute.ints([0]),
      target_weights: attribute.floats([1]),
    },
    "a number, and no score",
  ],
  ["too many base values", { base_values: attribute.floats([1, 2]) }, "base values"],
  ["the least of trees", { aggregate_function: attribute.string("MIN") }, "MIN of trees"],
  ["a transform of one score", { post_transform: attribute.string("LOGISTIC") }, "LOGISTIC of one score"], // prettier-ignore
  [
    "very many targets of which leaves say little",
    {
      n_targets: attribute.int(100_000_000),
      target_nodeids: attribute.ints([1, 1]),
      target_ids: attribute.ints([0, 1]),
    },
    "no score for most targets",
  ],
])("says why trees are not compiled: %s", async (_, attributes, reason) => {
  const graph = classical("TreeEnsembleRegressor", { x: ["float32", 1, 2] }, { ...stump, ...attributes }); // prettier-ignore
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.length).toBe(reason === "" ? 0 : 1);
  expect(obstacles[0]?.reason ?? "").toContain(reason);
});

it("says why a classifier of one class is not compiled", async () => {
  const scores = Object.entries(stump).map(
    ([name, value]) => [name.replace("target_", "class_"), value] as const,
  );
  const graph = classical(
    "TreeEnsembleClassifier",
    { x: ["float32", 1, 2] },
    { ...Object.fromEntries(scores), classlabels_int64s: attribute.ints([0]) },
    ["label", "scores"],
  );
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ reason }) => reason)).toEqual(["it has one class alone"]);
});
