import { type Graph, type Node, shapeOf } from "../ir/index.js";
import { attributeReader, type Fans, type LearnedInput, operatorOf } from "../ops/index.js";
import { isAmong } from "./is-among.js";
import { isScaledAgain, writtenOut } from "./written-out.js";

/**
 * The inputs of a node whose constants were learned: what its operator owns, what it has of a layer that was written out, and
 * what is named.
 * @param named what was learned beside, by its names; see `isAmong`
 */
export function learnedInputs(
  graph: Graph,
  node: Node,
  named: readonly string[] = [],
): readonly LearnedInput[] {
  const owned = operatorOf(node)?.traits.learned ?? writtenOut(graph, node);
  const own = isScaledAgain(graph, node)
    ? []
    : owned.filter((one) => fansOf(graph, node, one)?.inputs.length !== 0);
  if (named.length === 0) return own;
  const beside = node.inputs.flatMap((value, input): readonly LearnedInput[] => {
    if (graph.constant(value) === undefined || value === null) return [];
    const { name } = graph.value(value);
    if (own.some((one) => one.input === input) || !isAmong(named, name)) return [];
    // A single number is more often part of a formula: it is learned by its whole name.
    if (graph.constant(value)?.count === 1 && !named.includes(name)) return [];
    return [{ input, as: node.op === "Mul" && node.domain === "" ? "scale" : "weight" }];
  });
  return [...own, ...beside];
}

/** Undefined where the operator alone says them. */
export function fansOf(graph: Graph, node: Node, { fans }: LearnedInput): Fans | undefined {
  const ranks = node.inputs.map((id) => shapeOf(graph, id)?.length ?? 0);
  return fans?.(ranks, attributeReader(node.attributes));
}
