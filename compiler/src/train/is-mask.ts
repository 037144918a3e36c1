import type { Graph, ValueId } from "../ir/index.js";

/** Beyond it a number hides what it is added to. */
const leastOfMasks = 1e4;

/** Does a constant hold numbers so large that they hide what they are added to, or none? */
export function isMask(graph: Graph, id: ValueId | null | undefined): boolean {
  const numbers = graph.constant(id)?.numbers();
  return numbers?.some((number) => !(Math.abs(number) < leastOfMasks)) === true;
}
