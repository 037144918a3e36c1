import type { Graph, Node, ValueId } from "../ir/index.js";
import { learnedInputs } from "./learned-inputs.js";

/** Where exporters write what a module holds beside its layers: position embeddings, class tokens, scales of branches. */
const places: ReadonlySet<string> = new Set(["Add", "Mul", "Concat", "Expand"]);

/** Beyond it a number hides what it is added to. */
const leastOfMasks = 1e4;

/**
 * Float32 constants that may have been learned though no layer owns them. A file does not tell them from grids and
 * strides, which are as constant: they are learned where they are named. What scales the model's inputs is none, and no mask.
 */
export function freeParameters(graph: Graph): readonly ValueId[] {
  const found = new Set<ValueId>();
  const behind = new Set<ValueId>();
  for (const node of graph.order()) {
    const owned = new Set(learnedInputs(graph, node).map(({ input }) => node.inputs[input]));
    const isBehind =
      node.inputs.some((id) => id !== null && behind.has(id)) ||
      [...owned].some((id) => graph.constant(id) !== undefined);
    if (!isBehind) continue;
    for (const id of node.outputs) if (id !== null) behind.add(id);
    if (!places.has(node.op) || node.domain !== "") continue;
    for (const id of dataOf(node))
      if (id !== null && !owned.has(id) && mayBeLearned(graph, id)) found.add(id);
  }
  return [...found];
}

function dataOf({ op, inputs }: Node): Node["inputs"] {
  return op === "Expand" ? inputs.slice(0, 1) : inputs;
}

function mayBeLearned(graph: Graph, id: ValueId): boolean {
  const tensor = graph.constant(id);
  if (tensor?.dtype !== "float32" || tensor.count < 2) return false;
  return tensor.numbers()?.every((number) => Math.abs(number) < leastOfMasks) === true;
}
