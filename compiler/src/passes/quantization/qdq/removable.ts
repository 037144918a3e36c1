import type { Graph, Node, ValueId } from "../../../ir/index.js";
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

/** The output of a Relu or Clip that is the only reader: rounding to its range clips as it does. */
export function fusedTail(graph: Graph, output: ValueId): ValueId {
  const { uses } = graph.value(output);
  const [reader] = graph.consumers(output);
  if (uses.length !== 1 || reader === undefined || !isRemovable(graph, reader)) return output;
  return reader.inputs[0] === output ? (reader.outputs[0] ?? output) : output;
}
