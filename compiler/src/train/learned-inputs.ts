import type { Graph, Node } from "../ir/index.js";
import { type LearnedInput, operatorOf } from "../ops/index.js";

/**
 * The inputs of a node whose constants were learned. Exporters write the bias of a product that cannot add as an Add behind
 * it.
 */
export function learnedInputs(graph: Graph, node: Node): readonly LearnedInput[] {
  const own = operatorOf(node)?.traits.learned;
  if (own !== undefined) return own;
  if (node.op !== "Add" || node.domain !== "") return [];
  return [0, 1].flatMap((input) => {
    const producer = graph.producer(node.inputs[1 - input]);
    const linear = producer && operatorOf(producer)?.traits.linear;
    return linear !== undefined && linear.bias === undefined
      ? [{ input, as: "bias" } as const]
      : [];
  });
}
