import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { byEngine, difference } from "../passes/classical/classical-case.test.support.js";
import { eighths, features, listed, samples, tree, type Tree } from "../passes/classical/forest.test.support.js"; // prettier-ignore
import { cases } from "../wasm/cases.test.support.js";
import { type Builder, graphOf, opsOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";
import { takeFeatures } from "./tree-features.js";
import { foldIntoLeaves } from "./tree-leaves.js";
import { joinTrees } from "./tree-sums.js";

const domain = "ai.onnx.ml";
const int64 = 7;
const rules = [takeFeatures, foldIntoLeaves, joinTrees];

/** A tree over features, or over some of them. */
function scored(b: Builder, x: ValueId, root: Tree, more: Attributes = {}): ValueId {
  b.editor.setOpset(domain, 3);
  const own = { ...listed([root], "target", [0]), n_targets: attribute.int(1), ...more };
  return b.editor.add1("TreeEnsembleRegressor", [x], own, { domain });
}

/** As scikit-learn's isolation forests are exported: which leaf it was, and what a table says of it. */
function depth(b: Builder, score: ValueId, table: readonly number[]): ValueId {
  const leaf = b.add("Cast", [score], { to: attribute.int(int64) });
  const own = {
    keys_int64s: attribute.ints(table.map((_, at) => at - 3)),
    values_floats: attribute.floats(table),
    default_float: attribute.float(0.5),
  };
  const found = b.editor.add1("LabelEncoder", [leaf], own, { domain });
  return b.add("Reshape", [found, b.ints([-1, 1])]);
}

/** What is computed of a number alone. */
const chains: readonly ((b: Builder, x: ValueId) => ValueId)[] = [
  (_, x) => x,
  (b, x) => b.add("Mul", [b.add("Add", [x, b.floats([2], [1, 1])]), b.floats([-3])]),
  (b, x) => b.add("Log", [b.add("Max", [x, b.floats([1])])]),
  (b, x) => b.add("Mul", [x, b.add("Cast", [b.add("Greater", [x, b.floats([2], [1])])], { to: attribute.int(1) })]), // prettier-ignore
];

async function simplified(graph: Graph): Promise<readonly string[]> {
  await runRules(graph, rules, {});
  return opsOf(graph);
}

it("computes for every leaf what follows a tree, and joins the trees of a sum", async () => {
  const one = fc.record({
    root: tree,
    table: fc.array(eighths(16), { minLength: 1, maxLength: 8 }),
    chain: fc.constantFrom(...chains),
    // Some trees see some of the features, in another order, counted from the end as well.
    taken: fc.option(fc.constantFrom([2, 0, 1], [-1, 1, 0], [0, 1, 2])),
  });
  const problem = fc.record({
    all: fc.array(one, { minLength: 2, maxLength: 5 }),
    samples,
    isSum: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ all, samples: x, isSum }) => {
      const graph = graphOf({ x: ["float32", "N", features] }, (input, b) => {
        const parts = all.map(({ root, table, chain, taken }) => {
          const from =
            taken === null
              ? input("x")
              : b.add("Gather", [input("x"), b.ints(taken)], { axis: attribute.int(1) });
          return chain(b, depth(b, scored(b, from, root), table));
        });
        const sum = isSum
          ? b.add("Sum", parts)
          : parts.reduce((before, part) => b.add("Add", [before, part]));
        return { y: b.add("Neg", [sum]) };
      });
      const expected = await byEngine(graph, { x });
      expect(await simplified(graph)).toEqual(["TreeEnsembleRegressor", "Neg"]);
      expect(difference(expected, await byEngine(graph, { x }))).toBeLessThan(1e-4);
    }),
    { numRuns: cases(40) },
  );
});

it("keeps what is added that is no tree, and trees that something else reads", async () => {
  const leaves: Tree = { weights: [1, 0, 0] };
  const graph = graphOf({ x: ["float32", 4, features], z: ["float32", 4, 1] }, (input, b) => {
    const [a, c, d] = [0, 1, 2].map(() => scored(b, input("x"), leaves));
    if (a === undefined || c === undefined || d === undefined) throw new Error("no trees");
    return { y: b.add("Sum", [a, input("z"), c, d]), d };
  });
  expect(await simplified(graph)).toEqual(["TreeEnsembleRegressor", "TreeEnsembleRegressor", "Sum"]); // prettier-ignore
});

it("gives the numbers one after another where they were read so", async () => {
  await fc.assert(
    fc.asyncProperty(tree, samples, async (root, x) => {
      const graph = graphOf({ x: ["float32", "N", features] }, (input, b) => {
        const flat = b.add("Reshape", [scored(b, input("x"), root), b.ints([-1])]);
        return { y: b.add("Add", [b.add("Neg", [flat]), b.floats([1], [1])]) };
      });
      const expected = await byEngine(graph, { x });
      expect(await simplified(graph)).toEqual(["TreeEnsembleRegressor", "Reshape"]);
      expect(difference(expected, await byEngine(graph, { x }))).toBe(0);
    }),
    { numRuns: cases(10) },
  );
});

it.each<[string, (b: Builder, score: ValueId) => Readonly<Record<string, ValueId>>, Attributes?]>([
  ["two values are read", (b, score) => ({ y: b.add("Neg", [score]), z: b.add("Exp", [score]) })],
  ["numbers differ by sample", (b, score) => ({ y: b.add("Add", [score, b.floats([1, 2, 3, 4], [4, 1])]) })], // prettier-ignore
  ["an axis is put before it", (b, score) => ({ y: b.add("Add", [score, b.floats([1], [1, 1, 1])]) })], // prettier-ignore
  ["a row meets a column", (b, score) => ({ y: b.add("Add", [score, b.add("Reshape", [score, b.ints([-1])])]) })], // prettier-ignore
  ["a leaf's number is none", (b, score) => ({ y: b.add("Log", [b.add("Sub", [score, score])]) })],
  ["the sum does not begin at 0", (b, score) => ({ y: b.add("Neg", [score]) }), { base_values: attribute.floats([1]) }], // prettier-ignore
  ["the least is asked for", (b, score) => ({ y: b.add("Neg", [score]) }), { aggregate_function: attribute.string("MIN") }], // prettier-ignore
])("leaves a tree as it is where %s", async (_, follow, more = {}) => {
  const root: Tree = { weights: [1, 0, 0] };
  const graph = graphOf({ x: ["float32", 4, features] }, (input, b) =>
    follow(b, scored(b, input("x"), root, more)),
  );
  const before = opsOf(graph);
  expect(await simplified(graph)).toEqual(before);
});

it("leaves a tree of which one leaf has two numbers, and another none", async () => {
  const root: Tree = {
    feature: 0,
    value: 0,
    mode: "BRANCH_LEQ",
    missing: false,
    first: { weights: [1, 0, 0] },
    second: { weights: [2, 0, 0] },
  };
  const twice = { target_nodeids: attribute.ints([1, 1]) };
  const graph = graphOf({ x: ["float32", 4, features] }, (input, b) => ({
    y: b.add("Neg", [scored(b, input("x"), root, twice)]),
  }));
  expect(await simplified(graph)).toEqual(["TreeEnsembleRegressor", "Neg"]);
});

it("leaves lists as they are that are not as long as they should be, or ask for features that there are not", async () => {
  const root: Tree = { weights: [1, 0, 0] };
  const cut = { nodes_values: attribute.floats([]) };
  const graph = graphOf({ x: ["float32", 4, features] }, (input, b) => {
    const few = b.add("Gather", [input("x"), b.ints([1])], { axis: attribute.int(1) });
    const asked = { nodes_featureids: attribute.ints([2]) };
    const sum = b.add("Add", [scored(b, input("x"), root, cut), scored(b, input("x"), root)]);
    return { y: sum, z: scored(b, few, root, asked) };
  });
  const before = opsOf(graph);
  expect(await simplified(graph)).toEqual(before);
});
