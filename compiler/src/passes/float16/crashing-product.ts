import { type Graph, type Node, shapeOf } from "../../ir/index.js";
import { attributesOf, inputOf } from "../../rules/pattern.js";

/**
 * Whether onnxruntime's CPU engine would end its process on a Transpose in float16 (1.24 to 1.30, on x64). It casts the
 * product that reads it to float32, then swaps cast and Transpose to fuse the latter into the product where it brings
 * the first axis behind the others of the batch. With operands of different ranks it does not fuse after all, says that
 * nothing changed, and its next optimization reads a node that was never completed (its issue 28392). In float32 there
 * is no cast to swap.
 */
export function crashesInFloat16(graph: Graph, node: Node): boolean {
  const [output] = node.outputs;
  if (node.op !== "Transpose" || output === null || output === undefined || !turnsBatch(node))
    return false;
  for (const use of graph.value(output).uses) {
    if (use.kind !== "node") continue;
    const reader = graph.node(use.node);
    if (reader.op !== "MatMul" || reader.domain !== "") continue;
    const left = shapeOf(graph, inputOf(reader, 0))?.length;
    if (left === undefined || left !== shapeOf(graph, inputOf(reader, 1))?.length) return true;
  }
  return false;
}

/** Of three axes and more: 1, 2, … and then the first and the last, in either order. */
function turnsBatch(node: Node): boolean {
  const perm = attributesOf(node).ints("perm") ?? [];
  const batch = perm.length - 2;
  if (batch < 1 || perm.slice(0, batch).some((axis, at) => axis !== at + 1)) return false;
  return perm.slice(batch).includes(perm.length - 1);
}
