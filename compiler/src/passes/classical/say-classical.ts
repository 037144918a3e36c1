import type { Graph, NodeId } from "../../ir/index.js";
import { sayNodes, type Words } from "../opset/say.js";
import { featureWords } from "./features.js";
import { labelWords } from "./labels.js";
import { linearWords } from "./linear.js";
import { treeWords } from "./trees.js";
import { vectorWords } from "./vectors.js";

/** How operators of ai.onnx.ml are said in those of ai.onnx; of trees only their sums are left, of support
 * vectors how probabilities of pairs become those of classes. */
const words: Words = new Map(
  Object.entries({ ...featureWords, ...labelWords, ...linearWords, ...treeWords, ...vectorWords }),
);

/** Their keys. */
export const classicalOperators: readonly string[] = [...words.keys()].sort();

/**
 * Says what scikit-learn and its kin export in operators that every target has, where that is possible. The graph is in its
 * normal form.
 * @returns of each node that stays: why
 */
export function sayClassical(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-classical", words);
}
