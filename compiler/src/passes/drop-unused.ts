import {
  edit,
  bodiesOf,
  type Body,
  type Editor,
  type Graph,
  type Node,
  type ValueId,
} from "../ir/index.js";

/** Nodes that no output needs, and initializers that nobody reads. Inputs stay: they are the interface. */
export function dropUnused(graph: Graph): void {
  if (!hasUnused(graph, graph.main)) return;
  edit(graph, "drop-unused", (editor) => {
    const visit = (body: Body): void => {
      for (const node of [...graph.order(body)].reverse()) {
        if (!graph.hasNode(node.id)) continue;
        if (isUnused(graph, node)) {
          editor.remove(node.id);
          continue;
        }
        bodiesOf(node).forEach(visit);
      }
    };
    visit(graph.main);
    removeUnusedInitializers(graph, editor);
  });
}

/** Initializers that nobody reads, alone. */
export function dropUnusedInitializers(graph: Graph): void {
  edit(graph, "drop-unused", (editor) => removeUnusedInitializers(graph, editor));
}

function removeUnusedInitializers(graph: Graph, editor: Editor): void {
  for (const body of graph.allBodies()) {
    for (const id of body.initializers) {
      const [other] = graph.main.outputs;
      // Nobody reads it, so that this moves no reader and only lets go of it.
      if (other !== undefined && isUnusedInitializer(graph, id))
        editor.replace(id, other, "unused");
    }
  }
}

function isUnused(graph: Graph, node: Node): boolean {
  return node.outputs.every((id) => id === null || graph.value(id).uses.length === 0);
}

function isUnusedInitializer(graph: Graph, id: ValueId): boolean {
  const { uses, isInput } = graph.value(id);
  return uses.length === 0 && !isInput;
}

function hasUnused(graph: Graph, body: Body): boolean {
  for (const id of body.initializers) if (isUnusedInitializer(graph, id)) return true;
  for (const id of body.nodes) {
    const node = graph.node(id);
    if (isUnused(graph, node) || bodiesOf(node).some((inner) => hasUnused(graph, inner)))
      return true;
  }
  return false;
}
