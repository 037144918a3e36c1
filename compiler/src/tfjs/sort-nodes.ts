import { PareError } from "@pare/runtime/format";
import { eachBehindItsInputs } from "./each-behind-its-inputs.js";
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
  const ends = wanted.map(({ tensor }) => nodeOf(nodes, tensor.node));
  return eachBehindItsInputs(
    ends,
    ({ inputs }) => inputs.map(({ node }) => nodeOf(nodes, node)),
    ({ name }) => name,
  );
}

function nodeOf(nodes: GraphModel["nodes"], name: string): TensorflowNode {
  const node = nodes.get(name);
  if (node !== undefined) return node;
  throw new PareError("MODEL_NAME", `${JSON.stringify(name)} is read, but no node makes it.`, {
    where: name,
  });
}
