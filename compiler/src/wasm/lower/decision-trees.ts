import { floatBelow, floatBits } from "@pare/runtime/format";
import type { AttributeReader } from "../../ops/index.js";
import {
  equalityFlag,
  leafMark,
  missingFlag,
  type TreeEnsembleOptions,
} from "../kernels/tree-ensemble.js";
import { floatBytes } from "../kernels/kernel.js";

/** Trees as the kernel walks them. */
export interface DecisionTrees extends Pick<
  TreeEnsembleOptions,
  "trees" | "leaf" | "equality" | "missing"
> {
  readonly table: Int32Array;
  readonly rows: Float32Array;
}

/** What lists of a node's attributes say of one node of a tree. */
interface TreeNode {
  readonly feature: number;
  readonly value: number;
  readonly mode: string;
  readonly missing: boolean;
  /** Ids within its tree. */
  readonly first: number;
  readonly second: number;
  readonly weights: { readonly target: number; readonly weight: number }[];
}

/** So many scores are kept for each that leaves say: of targets that a leaf says nothing of, its row holds 0. */
const mostScoresPerWeight = 64;
const mostScores = 2 ** 25;

/** What trees are about. */
interface TreeSizes {
  /** How many a sample has. */
  readonly features: number;
  readonly targets: number;
  /** Scores are means over the trees, not sums. */
  readonly isMean: boolean;
}

/**
 * The trees of a TreeEnsembleRegressor.
 * @returns why they cannot be walked, in words, where they cannot
 */
export function decisionTrees(
  attributes: AttributeReader,
  sizes: TreeSizes,
): DecisionTrees | string {
  const trees = readTrees(attributes, sizes.targets);
  if (typeof trees === "string") return trees;
  const layout = new Layout(sizes, trees);
  if (sizes.targets > layout.mostScores) return sparse;
  for (const nodes of trees.values()) {
    const why = layout.add(nodes);
    if (why !== undefined) return why;
  }
  return layout.done();
}

type Trees = ReadonlyMap<number, ReadonlyMap<number, TreeNode>>;

function readTrees(attributes: AttributeReader, targets: number): Trees | string {
  const ints = (name: string): readonly number[] => attributes.ints(name) ?? [];
  const names = "treeids nodeids featureids truenodeids falsenodeids".split(" ");
  const lists = names.map((name) => ints(`nodes_${name}`));
  const [treeIds = [], nodeIds = [], featureIds = [], firsts = [], seconds = []] = lists;
  const modes = attributes.get("nodes_modes");
  const values = attributes.floats("nodes_values") ?? [];
  const missing = ints("nodes_missing_value_tracks_true");
  const owners = [ints("target_treeids"), ints("target_nodeids"), ints("target_ids")] as const;
  const weights = attributes.floats("target_weights") ?? [];
  if (
    ["nodes_values", "target_weights", "base_values"].some((name) =>
      attributes.has(`${name}_as_tensor`),
    )
  )
    return "trees in float64 are not compiled";
  const count = treeIds.length;
  const alike = [...lists, values, modes?.type === "strings" ? modes.value : []];
  if (
    count === 0 ||
    alike.some(({ length }) => length !== count) ||
    owners.some(({ length }) => length !== weights.length)
  )
    return "its lists of nodes are not equally long";
  const trees = new Map<number, Map<number, TreeNode>>();
  let before: number | undefined;
  for (const [at, treeId] of treeIds.entries()) {
    const nodes = trees.get(treeId) ?? new Map<number, TreeNode>();
    const nodeId = nodeIds[at] ?? 0;
    if ((treeId !== before && nodes.size > 0) || nodes.has(nodeId)) return "its nodes are no trees";
    before = treeId;
    trees.set(treeId, nodes);
    const mode = modes?.type === "strings" ? modes.value[at] : undefined;
    nodes.set(nodeId, {
      feature: featureIds[at] ?? 0,
      value: values[at] ?? 0,
      mode: typeof mode === "string" ? mode : "",
      missing: missing[at] === 1,
      first: firsts[at] ?? 0,
      second: seconds[at] ?? 0,
      weights: [],
    });
  }
  const scored = new Map<TreeNode, Set<number>>();
  for (const [at, weight] of weights.entries()) {
    const target = owners[2][at] ?? 0;
    const owner = trees.get(owners[0][at] ?? 0)?.get(owners[1][at] ?? 0);
    if (owner === undefined || target < 0 || target >= targets)
      return "a leaf's score is of no leaf or no target";
    const own = scored.get(owner) ?? new Set();
    if (own.has(target)) return "a leaf has two scores for one target";
    scored.set(owner, own.add(target));
    owner.weights.push({ target, weight });
  }
  return trees;
}

/** How a node's question is asked: is a feature at most this number, or equal to it? */
interface Question {
  readonly value: number;
  readonly equality: boolean;
  /** Its answer is the other way round. */
  readonly swapped: boolean;
}

function questionOf({ mode, value }: TreeNode): Question | undefined {
  const below = floatBelow(value);
  switch (mode) {
    case "BRANCH_LEQ":
      return { value, equality: false, swapped: false };
    case "BRANCH_LT":
      return { value: below, equality: false, swapped: false };
    case "BRANCH_GT":
      return { value, equality: false, swapped: true };
    case "BRANCH_GTE":
      return { value: below, equality: false, swapped: true };
    case "BRANCH_EQ":
      return { value, equality: true, swapped: false };
    case "BRANCH_NEQ":
      return { value, equality: true, swapped: true };
    default:
      return undefined;
  }
}

const sparse = "most of its leaves have no score for most targets";

class Layout {
  readonly #sizes: TreeSizes;
  readonly #leaf: "one" | "row";
  readonly mostScores: number;
  readonly #table: number[];
  readonly #rows: number[] = [];
  readonly #known = new Map<string, number>();
  readonly #flags = { equality: false, missing: false };
  readonly #trees: number;
  #added = 0;
  #scores = 0;

  constructor(sizes: TreeSizes, trees: Trees) {
    this.#sizes = sizes;
    const weights = [...trees.values()].flatMap((nodes) =>
      [...nodes.values()].map((node) => node.weights.length),
    );
    this.#leaf = weights.some((count) => count > 1) ? "row" : "one";
    const said = weights.reduce((sum, count) => sum + count, 0);
    this.mostScores = Math.min(mostScores, mostScoresPerWeight * said);
    this.#trees = trees.size;
    this.#table = Array.from({ length: trees.size }, () => 0);
  }

  /** One more tree, from its first node on, each second branch behind its node. @returns what is wrong with it */
  add(nodes: ReadonlyMap<number, TreeNode>): string | undefined {
    const table = this.#table;
    const [root = 0] = nodes.keys();
    const open = [{ id: root, from: this.#added }];
    const seen = new Set<number>();
    this.#added += 1;
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const node = nodes.get(next.id);
      if (node === undefined || seen.has(next.id)) return "its nodes are no trees";
      seen.add(next.id);
      if (next.from >= 0) table[next.from] = table.length * floatBytes;
      if (node.mode === "LEAF") {
        const why = this.#addLeaf(node);
        if (why !== undefined) return why;
        continue;
      }
      const question = questionOf(node);
      if (question === undefined) return `${node.mode} is no question that nodes ask`;
      if (Number.isNaN(node.value)) return "it compares with what is no number";
      if (node.feature < 0 || node.feature >= this.#sizes.features)
        return "it asks for a feature that there is not";
      const { value, equality, swapped } = question;
      // What is no number is unequal to any; any other question it answers with no, unless it tracks true.
      const missing = equality ? node.missing && !swapped : node.missing !== swapped;
      if (equality) this.#flags.equality = true;
      if (missing) this.#flags.missing = true;
      const asked = (equality ? equalityFlag : 0) + (missing ? missingFlag : 0);
      table.push(node.feature * floatBytes + asked, floatBits(value), 0);
      const [first, second] = swapped ? [node.second, node.first] : [node.first, node.second];
      open.push({ id: first, from: table.length - 1 }, { id: second, from: -1 });
    }
    // To engines they may be trees of their own.
    return seen.size < nodes.size ? "some of its nodes are in no tree" : undefined;
  }

  get #divisor(): number {
    return this.#sizes.isMean ? this.#trees : 1;
  }

  #addLeaf({ value, weights }: TreeNode): string | undefined {
    const [one = { target: 0, weight: 0 }] = weights;
    // Engines take the number of such a node for its score.
    if (this.#sizes.targets === 1 && weights.length === 0 && value !== 0)
      return "a leaf has a number, and no score";
    if (this.#leaf === "one") {
      this.#table.push(leafMark, floatBits(one.weight / this.#divisor), one.target * floatBytes);
      return undefined;
    }
    const { targets } = this.#sizes;
    this.#scores += targets;
    if (this.#scores > this.mostScores) return sparse;
    const row = Array.from({ length: targets }, () => 0);
    for (const { target, weight } of weights)
      row[target] = (row[target] ?? 0) + weight / this.#divisor;
    const key = row.join();
    const known = this.#known.get(key) ?? this.#rows.length;
    if (known === this.#rows.length) {
      this.#known.set(key, known);
      for (const score of row) this.#rows.push(score);
    }
    this.#table.push(leafMark, known * floatBytes, 0);
    return undefined;
  }

  done(): DecisionTrees {
    return {
      trees: this.#trees,
      leaf: this.#leaf,
      ...this.#flags,
      table: Int32Array.from(this.#table),
      rows: Float32Array.from(this.#rows),
    };
  }
}
