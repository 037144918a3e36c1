import type { Editor, Graph, Node, ValueId } from "../ir/index.js";

/**
 * MaxPool(Relu(x)) = Relu(MaxPool(x)): the largest of what is at least 0 is at least 0. So the Relu and its gradient have a
 * window's element to look at instead of all of them. Gradients stay what they are: where a window's largest is positive
 * it is the same one, and where it is not nothing passes, before as after. The two nodes exchange what they do, so that
 * what the pool gave is the same value still.
 * @param pool a MaxPool
 * @param kept values that are looked at by others than nodes
 */
export function poolFirst(
  editor: Editor,
  graph: Graph,
  pool: Node,
  kept: ReadonlySet<ValueId>,
): void {
  const between = pool.inputs[0] ?? null;
  const relu = between === null ? undefined : graph.producer(between);
  if (between === null || relu?.op !== "Relu" || relu.domain !== "") return;
  if (graph.value(between).uses.length !== 1 || kept.has(between)) return;
  // Where the largest lay is said of what is pooled.
  if ((pool.outputs[1] ?? null) !== null || pool.body !== relu.body) return;
  for (const [name, value] of pool.attributes) {
    editor.setAttribute(relu.id, name, value);
    editor.setAttribute(pool.id, name, undefined);
  }
  editor.setOp(relu.id, "MaxPool");
  editor.setOp(pool.id, "Relu");
}
