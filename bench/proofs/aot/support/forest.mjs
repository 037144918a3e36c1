// A forest of decision trees that tells handwritten digits apart: extremely randomized trees (Geurts, Ernst and Wehenkel,
// 2006), each grown on some samples by the best of a few random questions, and what scikit-learn exports of them.
import {
  attribute,
  edit,
  Graph,
  inferNode,
  newHeader,
  randomOf,
  tensorType,
} from "../../../../compiler/dist/index.js";
import { digitCounts, picturesOf } from "../../../../fixtures/scripts/digits.mjs";

const classes = 10;
const candidates = 12;
/** Each tree grows on so many, drawn anew. */
const drawn = 1500;
/** As exporters' users set it, so that a forest is no larger than what it learned from. */
const mostDepth = 8;

/** Pictures of all digits, one of ten kept apart. */
export async function digitSamples() {
  const [learned, kept] = [[], []];
  for (let label = 0; label < classes; label += 1) {
    const picture = await picturesOf(label);
    for (let index = 0; index < digitCounts[label]; index += 1)
      (index % 10 === 0 ? kept : learned).push({ label, pixels: picture(index).data });
  }
  return { learned, kept };
}

/** @returns a graph: `pixels` [1, 784] to `label` [1] and `scores` [1, 10] */
export function forestOf(samples, trees, seed) {
  const random = randomOf(seed, "forest");
  const nodes = [];
  const leaves = [];
  for (let tree = 0; tree < trees; tree += 1) grow(samples, tree, random, nodes, leaves, trees);
  const ints = (key, from = nodes) => attribute.ints(from.map((node) => node[key] ?? 0));
  const floats = (key, from = nodes) => attribute.floats(from.map((node) => node[key] ?? 0));
  const modes = nodes.map(({ isLeaf }) => (isLeaf ? "LEAF" : "BRANCH_LEQ"));
  const attributes = {
    nodes_treeids: ints("tree"),
    nodes_nodeids: ints("id"),
    nodes_featureids: ints("feature"),
    nodes_values: floats("value"),
    nodes_modes: { type: "strings", value: modes },
    nodes_truenodeids: ints("first"),
    nodes_falsenodeids: ints("second"),
    class_treeids: ints("tree", leaves),
    class_nodeids: ints("id", leaves),
    class_ids: ints("label", leaves),
    class_weights: floats("weight", leaves),
    classlabels_int64s: attribute.ints(Array.from({ length: classes }, (_, label) => label)),
    post_transform: attribute.string("NONE"),
  };
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      editor.setOpset("ai.onnx.ml", 1);
      const pixels = editor.addInput("pixels", tensorType("float32", [1, 784]));
      const options = { domain: "ai.onnx.ml", outputs: ["label", "scores"] };
      const outputs = editor.add("TreeEnsembleClassifier", [pixels], attributes, options);
      for (const output of outputs) editor.addOutput(output);
    },
    { interface: true },
  );
  return { graph, nodes: nodes.length };
}

function grow(samples, tree, random, nodes, leaves, trees) {
  let next = 0;
  const visit = (own, depth) => {
    const id = next;
    next += 1;
    const node = { tree, id };
    nodes.push(node);
    const counts = countsOf(own);
    const isLeaf = depth === mostDepth || counts.some((count) => count === own.length);
    const split = isLeaf ? null : bestSplit(own, random);
    if (split === null) {
      node.isLeaf = true;
      for (let label = 0; label < classes; label += 1)
        leaves.push({ tree, id, label, weight: counts[label] / own.length / trees });
      return id;
    }
    Object.assign(node, { feature: split.feature, value: split.value });
    node.first = visit(split.first, depth + 1);
    node.second = visit(split.second, depth + 1);
    return id;
  };
  const own = Array.from({ length: drawn }, () => samples[Math.floor(random() * samples.length)]);
  visit(own, 0);
}

function countsOf(samples) {
  const counts = Array.from({ length: classes }, () => 0);
  for (const { label } of samples) counts[label] += 1;
  return counts;
}

function bestSplit(samples, random) {
  let best = null;
  for (let tried = 0; tried < candidates; tried += 1) {
    const feature = Math.floor(random() * 784);
    let [least, most] = [Infinity, -Infinity];
    for (const { pixels } of samples) {
      least = Math.min(least, pixels[feature]);
      most = Math.max(most, pixels[feature]);
    }
    if (least === most) continue;
    const value = Math.fround(least + random() * (most - least));
    const parts = [[], []];
    for (const sample of samples) parts[sample.pixels[feature] <= value ? 0 : 1].push(sample);
    if (parts.some((part) => part.length === 0)) continue;
    const impurity = parts.reduce((sum, part) => sum + part.length - sumOfSquares(part), 0);
    if (best === null || impurity < best.impurity)
      best = { feature, value, impurity, first: parts[0], second: parts[1] };
  }
  return best;
}

function sumOfSquares(part) {
  return countsOf(part).reduce((sum, count) => sum + count * count, 0) / part.length;
}
