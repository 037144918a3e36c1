import type { Graph, Node } from "../../../ir/index.js";
import { operatorOf } from "../../../ops/index.js";

/** A Relu, or a Clip with constant bounds: where its result is rounded, rounding to its range clips as it does. */
export function isRemovable(graph: Graph, node: Node): boolean {
  const clamp = operatorOf(node)?.traits.clamp;
  if (clamp === undefined || node.body !== graph.main.id) return false;
  return clamp.bounds.every((index) => {
    const bound = node.inputs[index] ?? null;
    return bound === null || graph.constant(bound) !== undefined;
  });
}
