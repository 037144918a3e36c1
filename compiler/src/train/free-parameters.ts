import type { Graph, ValueId } from "../ir/index.js";
import { isMask } from "./is-mask.js";
import { learnedInputs } from "./learned-inputs.js";

/** Where exporters write what a module holds beside its layers: position embeddings, class tokens, scales of branches. */
const places: ReadonlySet<string> = new Set(["Add", "Mul", "Concat"]);

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
    for (const id of node.inputs) {
      const source = unexpanded(graph, id);
      if (source !== null && !owned.has(source) && mayBeLearned(graph, source)) found.add(source);
    }
  }
  return [...found];
}

/** A token that every sample of a batch begins with is written once, and expanded. */
function unexpanded(graph: Graph, id: ValueId | null): ValueId | null {
  const producer = graph.producer(id);
  return producer?.op === "Expand" && producer.domain === "" ? (producer.inputs[0] ?? null) : id;
}

function mayBeLearned(graph: Graph, id: ValueId): boolean {
  const tensor = graph.constant(id);
  if (tensor?.dtype !== "float32" || tensor.count < 2) return false;
  return !isMask(graph, id);
}
