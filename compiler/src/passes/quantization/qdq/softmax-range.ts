import { type Graph, shapeOf, type ValueId } from "../../../ir/index.js";
import { integerRange } from "../../../quantize/format.js";
import type { Range } from "../../../quantize/scale.js";
import { attributesOf, inputOf } from "../../../rules/pattern.js";
import type { StaticPlan } from "./static-plan.js";

/** e⁵: onnxruntime's kernel counts exponentials in parts of 2³² / (e⁵ · row), as a uint32. */
const spare = 148;

/**
 * The range of what is rounded, no finer than onnxruntime's kernel can count, where a Softmax between rounded activations gives it.
 * That multiplies with 1 / scale before it divides by the sum: beyond 32 bits the largest shares of a row become 0 (its
 * qlinear_softmax.cc, to 1.31).
 */
export function countableRange<T extends Range>(
  graph: Graph,
  { activations, format }: StaticPlan,
  source: ValueId,
  range: T,
): T {
  const node = graph.producer(source);
  const input = node && inputOf(node, 0);
  if (node?.op !== "Softmax" || input === undefined) return range;
  const readers = activations.get(input)?.readers;
  if (readers !== "all" && readers?.has(node.id) !== true) return range;
  // Of a row whose length is not known, two: of one alone nothing is to be learned.
  const row = shapeOf(graph, source)?.at(attributesOf(node).int("axis", -1));
  const least = integerRange(format).max / spare / (typeof row === "number" ? row : 2);
  return range.max < least ? { ...range, max: least } : range;
}
