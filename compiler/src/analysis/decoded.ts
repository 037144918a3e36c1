import type { Graph, ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** Is it floats that are made of constant integers, as weights that are stored so? */
export function isDecoded(graph: Graph, value: ValueId): boolean {
  return madeOfIntegers(graph, value) === "constant";
}

/** Is it floats that are made of integers which are computed: an activation that was rounded? */
export function wasRounded(graph: Graph, value: ValueId): boolean {
  return madeOfIntegers(graph, value) === "computed";
}

function madeOfIntegers(graph: Graph, value: ValueId): "constant" | "computed" | undefined {
  const maker = graph.producer(value);
  const [stored] = maker?.inputs ?? [];
  if (maker === undefined || operatorOf(maker)?.traits.quantization?.gives !== "floats")
    return undefined;
  if (stored === null || stored === undefined) return undefined;
  return graph.constant(stored) === undefined ? "computed" : "constant";
}
