import { PareError } from "@pare/runtime/format";
import type { GraphModel, NamedTensor, TensorflowNode } from "./graph-model.js";

/** The nodes that some tensors are made of, also of a graph that goes in circles. @throws PareError MODEL_NAME */
export function neededNodes(
  nodes: GraphModel["nodes"],
  wanted: readonly NamedTensor[],
): Iterable<TensorflowNode> {
  const found = new Map<string, TensorflowNode>();
  const open = wanted.map(({ tensor }) => tensor.node);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const node = nodeOf(nodes, name);
    found.set(name, node);
    for (const { node: from } of node.inputs) open.push(from);
  }
  return found.values();
}

/**
 * The nodes that some tensors are made of, each behind what it reads.
 * @throws PareError MODEL_NAME for a node that is not there, MODEL_CYCLE
 */
export function sortNodes(
  nodes: GraphModel["nodes"],
  wanted: readonly NamedTensor[],
): readonly TensorflowNode[] {
  const sorted: TensorflowNode[] = [];
  const state = new Map<string, "open" | "done">();
  const open = wanted.map(({ tensor }) => tensor.node).reverse();
  for (let name = open.at(-1); name !== undefined; name = open.at(-1)) {
    const node = nodeOf(nodes, name);
    if (state.has(name)) {
      open.pop();
      if (state.get(name) === "open") sorted.push(node);
      state.set(name, "done");
      continue;
    }
    state.set(name, "open");
    for (const { node: from } of node.inputs) {
      if (state.get(from) === "open")
        throw new PareError("MODEL_CYCLE", `${JSON.stringify(name)} depends on itself.`, {
          where: name,
        });
      if (!state.has(from)) open.push(from);
    }
  }
  return sorted;
}

function nodeOf(nodes: GraphModel["nodes"], name: string): TensorflowNode {
  const node = nodes.get(name);
  if (node !== undefined) return node;
  throw new PareError("MODEL_NAME", `${JSON.stringify(name)} is read, but no node makes it.`, {
    where: name,
  });
}
