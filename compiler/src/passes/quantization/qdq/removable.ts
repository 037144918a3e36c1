import type { Graph, Node, ValueId } from "../../../ir/index.js";
import { operatorOf } from "../../../ops/index.js";

/** A Relu, or a Clip with constant bounds. */
export function hasFixedBounds(graph: Graph, node: Node): boolean {
  return boundsOf(graph, node) !== undefined;
}

/**
 * One with bounds around 0: where its result is rounded, rounding to its range clips as it does. Integers hold 0, whatever the
 * bounds are, and would let through what bounds beyond it keep out.
 */
function isRemovable(graph: Graph, node: Node): boolean {
  const [low = -Infinity, high = Infinity] = boundsOf(graph, node) ?? [NaN];
  return low <= 0 && high >= 0;
}

/** Of those that there are; undefined where one is no constant. */
function boundsOf(graph: Graph, node: Node): readonly (number | undefined)[] | undefined {
  const clamp = operatorOf(node)?.traits.clamp;
  if (clamp === undefined || node.body !== graph.main.id) return undefined;
  const ids = clamp.bounds.map((index) => node.inputs[index] ?? null);
  const isFixed = ids.every((id) => id === null || graph.constant(id) !== undefined);
  return isFixed
    ? ids.map((id) => (id === null ? undefined : (graph.constant(id)?.numbers()?.[0] ?? NaN)))
    : undefined;
}

/** The output of a Relu or Clip that is the only reader: rounding to its range clips as it does. */
export function fusedTail(graph: Graph, output: ValueId): ValueId {
  const { uses } = graph.value(output);
  const [reader] = graph.consumers(output);
  if (uses.length !== 1 || reader === undefined || !isRemovable(graph, reader)) return output;
  return reader.inputs[0] === output ? (reader.outputs[0] ?? output) : output;
}
