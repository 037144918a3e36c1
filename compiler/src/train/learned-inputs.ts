import type { Graph, Node } from "../ir/index.js";
import { type LearnedInput, operatorOf } from "../ops/index.js";

/**
 * The inputs of a node whose constants were learned. Exporters write the bias of a product that cannot add as an Add behind
 * it: one number for each of its weight's columns. What is added to a product of two activations is a mask, and what differs
 * from place to place an encoding of places.
 */
export function learnedInputs(graph: Graph, node: Node): readonly LearnedInput[] {
  const own = operatorOf(node)?.traits.learned;
  if (own !== undefined) return own;
  if (node.op !== "Add" || node.domain !== "") return [];
  return [0, 1].flatMap((input) => {
    const producer = graph.producer(node.inputs[1 - input]);
    const linear = producer && operatorOf(producer)?.traits.linear;
    if (linear === undefined || linear.bias !== undefined) return [];
    if (graph.constant(producer?.inputs[linear.weight]) === undefined) return [];
    const isRow = graph
      .constant(node.inputs[input])
      ?.dims.slice(0, -1)
      .every((size) => size === 1);
    return isRow === true ? [{ input, as: "bias" } as const] : [];
  });
}
