import * as fc from "fast-check";
import { attribute, type Attributes } from "../../ir/index.js";
import { floats, strings } from "./classical-case.test.support.js";

export const features = 3;
export const size = (min: number, max: number) => fc.integer({ min, max });
/** Multiples of an eighth: sums are exact in any order, and some features are equal to what nodes compare with. */
export const eighths = (most: number) => size(-most, most).map((x) => x / 8);

interface Branch {
  readonly feature: number;
  readonly value: number;
  readonly mode: string;
  readonly missing: boolean;
  readonly first: Tree;
  readonly second: Tree;
}
export type Tree = Branch | { readonly weights: readonly number[] };

const modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE", "BRANCH_EQ", "BRANCH_NEQ"];

export const { tree } = fc.letrec<{ tree: Tree; branch: Branch; leaf: Tree }>((tie) => ({
  leaf: fc.record({ weights: fc.array(eighths(16), { minLength: 3, maxLength: 3 }) }),
  branch: fc.record({
    feature: size(0, features - 1),
    value: eighths(8),
    mode: fc.constantFrom(...modes),
    missing: fc.boolean(),
    first: tie("tree"),
    second: tie("tree"),
  }),
  tree: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("leaf"), tie("branch")),
}));
export const forest = fc.array(tree, { minLength: 1, maxLength: 5 });

/** @param classes those that leaves have scores for @param of the first letters of the names of scores */
export function listed(
  trees: readonly Tree[],
  of: "class" | "target",
  classes: readonly number[],
): Attributes {
  const nodes: { tree: number; id: number; own: Tree; first: number; second: number }[] = [];
  const scores: { tree: number; id: number; of: number; weight: number }[] = [];
  for (const [at, root] of trees.entries()) {
    let count = 0;
    const visit = (own: Tree): number => {
      const id = count++;
      const node = { tree: at, id, own, first: 0, second: 0 };
      nodes.push(node);
      if ("weights" in own) {
        for (const [index, kind] of classes.entries())
          scores.push({ tree: at, id, of: kind, weight: own.weights[index] ?? 0 });
      } else {
        node.first = visit(own.first);
        node.second = visit(own.second);
      }
      return id;
    };
    visit(root);
  }
  const ofBranches = <T>(pick: (own: Branch) => T, otherwise: T): readonly T[] =>
    nodes.map(({ own }) => ("weights" in own ? otherwise : pick(own)));
  return {
    nodes_treeids: attribute.ints(nodes.map((node) => node.tree)),
    nodes_nodeids: attribute.ints(nodes.map(({ id }) => id)),
    nodes_featureids: attribute.ints(ofBranches(({ feature }) => feature, 0)),
    nodes_values: attribute.floats(ofBranches(({ value }) => value, 0)),
    nodes_modes: strings(ofBranches(({ mode }) => mode, "LEAF")),
    nodes_missing_value_tracks_true: attribute.ints(
      ofBranches(({ missing }) => (missing ? 1 : 0), 0),
    ),
    nodes_truenodeids: attribute.ints(nodes.map(({ first }) => first)),
    nodes_falsenodeids: attribute.ints(nodes.map(({ second }) => second)),
    [`${of}_treeids`]: attribute.ints(scores.map((score) => score.tree)),
    [`${of}_nodeids`]: attribute.ints(scores.map(({ id }) => id)),
    [`${of}_ids`]: attribute.ints(scores.map((score) => score.of)),
    [`${of}_weights`]: attribute.floats(scores.map(({ weight }) => weight)),
  };
}

export const samples = fc
  .array(fc.oneof(eighths(10), fc.constant(NaN)), { minLength: 12, maxLength: 12 })
  .map((values) => floats([4, features], values));
