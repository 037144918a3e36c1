import { attribute, type Attributes, type ValueId } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";
import { answer, classLabels, labelAbove, labelOfLargest, transformed } from "./classes.js";
import { samples } from "./samples.js";

/** A node that only sums up what its trees say. */
const plain = { post_transform: attribute.string("NONE") };

function sums(step: Step, own: Attributes): ValueId {
  const { x } = samples(step);
  const nodes = [...step.node.attributes].filter(([name]) => /^(nodes|base|target|aggregate)_/.test(name)); // prettier-ignore
  return step.editor.add1(
    "TreeEnsembleRegressor",
    [x],
    { ...Object.fromEntries(nodes), ...own, ...plain },
    { body: step.graph.body(step.node.body), domain: "ai.onnx.ml" },
  );
}

function regress(step: Step): void {
  const targets = step.attributes.int("n_targets", 1);
  step.replaceBy(transformed(step, sums(step, { n_targets: attribute.int(targets) }), targets));
}

/**
 * As onnxruntime's tree_ensemble_aggregator.h has it: two classes of which one is scored are told apart by that score, and
 * the other has what is left; of more classes the largest score wins.
 */
function classify(step: Step): void {
  const labels = classLabels(step, "classlabels_int64s");
  if (labels.count < 2) return step.refuse("it has one class alone");
  const ids = step.attributes.ints("class_ids") ?? [];
  if (step.attributes.floats("class_weights")?.length !== ids.length)
    return step.refuse("its scores are not as many as their classes");
  const scored = new Set(ids);
  if (labels.count === 2 && scored.size === 1) return classifyByOne(step, labels.id, ids);
  if (scored.size !== labels.count || !areCertain(step, scored))
    return step.refuse("a class may go without a score");
  const scores = sums(step, { ...targets(step), n_targets: attribute.int(labels.count) });
  const label =
    labels.count === 2
      ? labelOfSecond(step, scores, labels.id)
      : labelOfLargest(step, scores, labels.id);
  answer(step, label, transformed(step, scores, labels.count));
}

/** Where both of two classes are scored, the second alone decides; labels that are integers are 0 and 1 then. */
function labelOfSecond(step: Step, scores: ValueId, labels: ValueId): ValueId {
  const numbers = step.attributes.ints("classlabels_int64s");
  const hasText = step.attributes.has("classlabels_strings");
  const hasBases = (step.attributes.floats("base_values") ?? []).length > 0;
  if (hasBases || (!hasText && numbers?.join() !== "0,1"))
    return step.refuse("scores of both of two classes have no words");
  const second = step.add("Gather", [scores, step.int64("second", [1])], {
    axis: attribute.int(1),
  });
  return labelAbove(step, second, step.float32("least", [0], []), labels);
}

function classifyByOne(step: Step, labels: ValueId, ids: readonly number[]): void {
  const weights = step.attributes.floats("class_weights") ?? [];
  const bases = step.attributes.floats("base_values") ?? [];
  const transform = step.attributes.string("post_transform", "NONE");
  const zeros = attribute.ints(ids.map(() => 0));
  const score = sums(step, { ...targets(step), target_ids: zeros, n_targets: attribute.int(1) });
  const isShare = weights.every((weight) => weight >= 0);
  const label = labelAbove(step, score, step.float32("least", [isShare ? 0.5 : 0], []), labels);
  const pair = (other: ValueId) => step.add("Concat", [other, score], { axis: attribute.int(1) });
  if (ids[0] === 1) {
    if (bases.length > 0) return step.refuse("what its other class begins with has no words");
    // A column of zeros before it.
    const both = step.add("Pad", [score, step.int64("pads", [0, 1, 0, 0])]);
    return answer(step, label, transformed(step, both, 2));
  }
  if (ids[0] !== 0 || bases.length > 1) return step.refuse("its base values have no words");
  if (transform === "LOGISTIC")
    return answer(step, label, transformed(step, pair(step.add("Neg", [score])), 2));
  if (transform !== "NONE" && transform !== "SOFTMAX")
    return step.refuse(`${transform} of one score has no words`);
  const rest = isShare
    ? step.add("Sub", [step.float32("whole", [1], []), score])
    : step.add("Neg", [score]);
  answer(step, label, pair(rest));
}

/** What leaves say of classes, as they say it of targets. */
function targets({ node }: Step): Attributes {
  const names = ["ids", "nodeids", "treeids", "weights"];
  const found = names.flatMap((name) => {
    const value = node.attributes.get(`class_${name}`);
    return value === undefined ? [] : [[`target_${name}`, value] as const];
  });
  return Object.fromEntries(found);
}

/** A class without a score is not chosen, even where every score is below 0. Is there none, whatever a sample is? */
function areCertain({ attributes }: Step, classes: ReadonlySet<number>): boolean {
  const isPositive = attributes.floats("class_weights")?.every((weight) => weight >= 0) === true;
  if ((isPositive && classes.size > 2) || attributes.floats("base_values")?.length === classes.size)
    return true;
  const modes = attributes.get("nodes_modes");
  const leaves = new Map<number, number>();
  for (const [at, tree] of (attributes.ints("nodes_treeids") ?? []).entries()) {
    const isLeaf = modes?.type === "strings" && modes.value[at] === "LEAF";
    if (isLeaf) leaves.set(tree, (leaves.get(tree) ?? 0) + 1);
  }
  const [trees, nodes, ids] = ["treeids", "nodeids", "ids"].map(
    (name) => attributes.ints(`class_${name}`) ?? [],
  );
  const scored = new Map<string, Set<number>>();
  for (const [at, id] of (ids ?? []).entries()) {
    const key = `${id} ${trees?.[at]}`;
    const own = scored.get(key) ?? new Set();
    scored.set(key, own.add(nodes?.[at] ?? 0));
  }
  const sure = new Set<string>();
  for (const [key, own] of scored) {
    const [id = "", tree = ""] = key.split(" ");
    if (own.size === leaves.get(Number(tree))) sure.add(id);
  }
  return sure.size === classes.size;
}

export const treeWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::TreeEnsembleClassifier": classify,
  "ai.onnx.ml::TreeEnsembleRegressor": regress,
};
