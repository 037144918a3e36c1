// An isolation forest (Liu, Ting and Zhou, 2008) of digits, in the operators that skl2onnx 1.20 exports scikit-learn's in:
// every tree says which leaf a sample falls into, tables say how deep that leaf is and how many samples fell into it, and what
// is computed of those is summed up.
import {
  attribute,
  edit,
  Graph,
  inferNode,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";

/** Each tree grows on so many, drawn anew, and as deep as those are told apart on average: scikit-learn's defaults. */
const drawn = 256;
const mostDepth = 8;
const euler = 0.5772156715393066;
const domain = "ai.onnx.ml";

/** The average depth at which one of so many samples is told apart. */
const averageDepth = (count) =>
  count <= 1 ? 0 : count === 2 ? 1 : 2 * (Math.log(count - 1) + euler) - (2 * (count - 1)) / count;

/** @returns a graph: `pixels` [1, 784] to `label` [1, 1] and `scores` [1, 1] */
export function isolationForest(samples, trees, seed) {
  const random = randomOf(seed, "isolation forest");
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      editor.setOpset(domain, 3);
      const pixels = editor.addInput("pixels", tensorType("float32", [1, 784]));
      const float = (...values) => editor.constant("c", Tensor.float32([values.length], values));
      const add = (op, ...inputs) => editor.add1(op, inputs);
      const cast = (value, to) => editor.add1("Cast", [value], { to: attribute.int(to) });
      const column = editor.constant("column", Tensor.int64([-1, 1]));
      const places = editor.constant(
        "all",
        Tensor.int64(Array.from({ length: 784 }, (_, at) => at)),
      );
      const depths = Array.from({ length: trees }, () => {
        const { attributes, leaves } = grown(samples, random);
        const taken = editor.add1("Gather", [pixels, places], { axis: attribute.int(1) });
        const said = editor.add1("TreeEnsembleRegressor", [taken], attributes, { domain });
        const looked = (values) => {
          const keys = attribute.ints(leaves.map(({ id }) => id));
          const own = { keys_int64s: keys, values_floats: attribute.floats(values) };
          const found = editor.add1("LabelEncoder", [cast(said, 7)], own, { domain });
          return add("Reshape", found, column);
        };
        const count = looked(leaves.map((leaf) => leaf.count));
        const isMany = cast(add("Greater", count, float(2)), 1);
        const isTwo = cast(add("Equal", count, float(2)), 1);
        const many = add("Mul", isMany, count);
        const before = add("Add", many, float(-1));
        const log = add("Add", add("Log", add("Max", before, float(1))), float(euler));
        const share = add("Div", add("Max", before, float(0)), add("Max", many, float(1)));
        const average = add("Add", add("Mul", log, float(2)), add("Mul", share, float(-2)));
        const rest = add("Add", isTwo, add("Mul", average, isMany));
        return add("Add", add("Add", looked(leaves.map(({ depth }) => depth)), rest), float(-1));
      });
      const mean = add("Div", add("Sum", ...depths), float(trees * averageDepth(drawn)));
      const scores = add("Add", add("Neg", add("Pow", float(2), add("Neg", mean))), float(0.5));
      const isOutlier = cast(add("Less", scores, float(0)), 7);
      const integer = (value) => editor.constant("i", Tensor.int64([value]));
      const label = add("Add", add("Mul", isOutlier, integer(-2)), integer(1));
      editor.rename(label, "label");
      editor.rename(scores, "scores");
      editor.addOutput(label);
      editor.addOutput(scores);
    },
    { interface: true },
  );
  return graph;
}

/** One tree: a random feature is compared with a random number between its least and its largest. */
function grown(samples, random) {
  const nodes = [];
  const visit = (own, depth) => {
    const node = { id: nodes.length, feature: 0, value: 0, first: 0, second: 0 };
    nodes.push(node);
    const split = depth === mostDepth || own.length <= 1 ? null : randomSplit(own, random);
    if (split === null) {
      Object.assign(node, { isLeaf: true, count: own.length, depth: depth + 1 });
      return node.id;
    }
    Object.assign(node, { feature: split.feature, value: split.value });
    node.first = visit(split.parts[0], depth + 1);
    node.second = visit(split.parts[1], depth + 1);
    return node.id;
  };
  visit(
    Array.from({ length: drawn }, () => samples[Math.floor(random() * samples.length)]),
    0,
  );
  const leaves = nodes.filter(({ isLeaf }) => isLeaf);
  const ints = (key, from = nodes) => attribute.ints(from.map((node) => node[key]));
  const zeros = (from) => attribute.ints(from.map(() => 0));
  return {
    leaves,
    attributes: {
      nodes_treeids: zeros(nodes),
      nodes_nodeids: ints("id"),
      nodes_featureids: ints("feature"),
      nodes_hitrates: attribute.floats(nodes.map(() => 1)),
      nodes_missing_value_tracks_true: zeros(nodes),
      nodes_values: attribute.floats(nodes.map(({ value }) => value)),
      nodes_modes: {
        type: "strings",
        value: nodes.map(({ isLeaf }) => (isLeaf ? "LEAF" : "BRANCH_LEQ")),
      },
      nodes_truenodeids: ints("first"),
      nodes_falsenodeids: ints("second"),
      target_treeids: zeros(leaves),
      target_nodeids: ints("id", leaves),
      target_ids: zeros(leaves),
      target_weights: attribute.floats(leaves.map(({ id }) => id)),
      n_targets: attribute.int(1),
      aggregate_function: attribute.string("SUM"),
      post_transform: attribute.string("NONE"),
    },
  };
}

/** Pixels at the edges are the same in all: another is drawn then. */
function randomSplit(samples, random) {
  for (let tried = 0; tried < 64; tried += 1) {
    const feature = Math.floor(random() * 784);
    const values = samples.map(({ pixels }) => pixels[feature]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    if (least === most) continue;
    const value = Math.fround(least + random() * (most - least));
    const parts = [[], []];
    for (const sample of samples) parts[sample.pixels[feature] <= value ? 0 : 1].push(sample);
    if (parts.every((part) => part.length > 0)) return { feature, value, parts };
  }
  return null;
}
