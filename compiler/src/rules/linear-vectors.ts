import { attribute, type Attributes, type Node } from "../ir/index.js";
import {
  classifierVectors,
  linearScores,
  regressorVectors,
  type SupportVectors,
  vectorOfEachPair,
} from "../ops/index.js";
import { attributesOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/**
 * Products with support vectors are summed: where nothing lies between, with one vector instead, which is their sum. What a
 * linear kernel keeps of a thousand samples of five classes is ten vectors.
 */
export const sumVectors: Rule = {
  name: "sum-vectors",
  exactness: "rounding",
  ops: "any",
  match(_graph, node) {
    const machine = machineOf(node);
    if (machine === undefined || machine.kernel !== "LINEAR") return undefined;
    const { count, biases, terms, features } = machine;
    if (count <= biases.length) return undefined;
    return {
      because: `${count} support vectors are summed to ${biases.length}`,
      work: terms * features,
      rewrite(editor) {
        for (const [name, value] of Object.entries(summed(node, machine)))
          editor.setAttribute(node.id, name, value);
      },
    };
  },
};

function machineOf(node: Node): SupportVectors | undefined {
  if (node.domain !== "ai.onnx.ml") return undefined;
  const attributes = attributesOf(node);
  const found =
    node.op === "SVMClassifier"
      ? classifierVectors(attributes)
      : node.op === "SVMRegressor"
        ? regressorVectors(attributes)
        : undefined;
  return typeof found === "string" ? undefined : found;
}

function summed(node: Node, machine: SupportVectors): Attributes {
  const weights = linearScores(machine);
  if (node.op === "SVMClassifier") {
    const { length: classes } = attributesOf(node).ints("vectors_per_class") ?? [];
    return vectorOfEachPair(classes, machine.features, weights);
  }
  return {
    n_supports: attribute.int(1),
    coefficients: attribute.floats([1]),
    support_vectors: attribute.floats([...weights]),
  };
}
