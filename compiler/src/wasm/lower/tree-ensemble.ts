import { treeEnsemble } from "../kernels/tree-ensemble.js";
import { rowMajor, sizeAt, stepAt } from "../plan/view.js";
import { type DecisionTrees, decisionTrees } from "./decision-trees.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";

/** TreeEnsembleRegressor of ai.onnx.ml: sums and means of what trees say, as they are. */
export const treeEnsembleRow: LoweringRow = {
  refuse(node) {
    const { attributes } = node;
    const transform = attributes.string("post_transform", "NONE");
    if (transform !== "NONE") return `${transform} of its scores is not compiled`;
    const aggregate = aggregateOf(node);
    if (aggregate !== "SUM" && aggregate !== "AVERAGE")
      return `${aggregate} of trees is not compiled`;
    if (node.dims(0).length !== 2) return "its samples must be rows of a matrix";
    if (basesOf(node) === undefined) return "its base values are not as many as its targets";
    const trees = treesOf(node);
    return typeof trees === "string" ? trees : undefined;
  },
  lower(node, l) {
    const trees = treesOf(node);
    if (typeof trees === "string") throw node.fault(trees);
    const x = l.withLanes(l.view(node.required(0)), 1);
    const y = l.allocate(node.output(), rowMajor(2), { exact: true });
    const { table, rows, ...walked } = trees;
    const options = {
      ...walked,
      samples: sizeAt(x, 0),
      targets: sizeAt(y, 1),
      steps: [stepAt(x, 0), stepAt(y, 0)] as const,
    };
    const bases = new Float32Array(options.targets);
    bases.set(basesOf(node) ?? []);
    const constants = [table, rows, bases].map((numbers) => l.plan.constant(numbers));
    l.plan.step(treeEnsemble, options, [x.place, y.place, ...constants]);
  },
};

function aggregateOf({ attributes }: NodeFacts): string {
  return attributes.string("aggregate_function", "SUM");
}

/** What every score begins with: nothing is 0. Undefined where they are not as many as the scores. */
function basesOf(node: NodeFacts): readonly number[] | undefined {
  const [, targets = 0] = node.outputDims();
  const given = node.attributes.floats("base_values") ?? [];
  return given.length === targets || given.length === 0 ? given : undefined;
}

function treesOf(node: NodeFacts): DecisionTrees | string {
  const [[, features = 0], [, targets = 0]] = [node.dims(0), node.outputDims()];
  const isMean = aggregateOf(node) === "AVERAGE";
  return decisionTrees(node.attributes, { features, targets, isMean });
}
