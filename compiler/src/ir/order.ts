import { PareError } from "@pare/runtime/format";
import type { NodeId, ValueId } from "./ids.js";
import { bodiesOf, type Body, type Node, type Structure } from "./model.js";

/** All values a node needs: its inputs, and what its bodies capture from outside. */
export function dependencies(graph: Structure, node: Node): readonly ValueId[] {
  const needed: ValueId[] = [];
  for (const input of node.inputs) if (input !== null) needed.push(input);
  // One by one: as arguments of one call, as many as a stranger's file has overflow the stack.
  for (const body of bodiesOf(node))
    for (const captured of captures(graph, body)) needed.push(captured);
  return needed;
}

/** The values of enclosing bodies that a body or those nested in it read, in order of first use, whatever the file's order. */
export function captures(graph: Structure, body: Body): readonly ValueId[] {
  const own = new Set<number>([body.id]);
  const found = new Set<ValueId>();
  const visit = (inner: Body): void => {
    own.add(inner.id);
    for (const node of graph.order(inner)) {
      for (const input of node.inputs) if (input !== null) found.add(input);
      bodiesOf(node).forEach(visit);
    }
    for (const output of inner.outputs) found.add(output);
  };
  visit(body);
  return [...found].filter((id) => !own.has(graph.value(id).body));
}

/**
 * Depth-first from the outputs, inputs in their order, so that the order depends on structure alone; nodes that no
 * output needs follow in the file's order.
 * @throws PareError MODEL_CYCLE
 */
export function canonicalOrder(graph: Structure, body: Body): readonly Node[] {
  const order: Node[] = [];
  const state = new Map<NodeId, "open" | "done">();
  const visit = (root: NodeId): void => {
    const stack: { node: Node; needs: readonly ValueId[]; next: number }[] = [];
    const open = (id: NodeId): void => {
      state.set(id, "open");
      const node = graph.node(id);
      stack.push({ node, needs: dependencies(graph, node), next: 0 });
    };
    open(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs[top.next];
      if (need === undefined) {
        state.set(top.node.id, "done");
        order.push(top.node);
        stack.pop();
        continue;
      }
      top.next += 1;
      const { producer } = graph.value(need);
      if (producer === null || !body.nodes.has(producer)) continue;
      const known = state.get(producer);
      if (known === "open") {
        const loop = stack
          .slice(stack.findIndex((entry) => entry.node.id === producer))
          .map((entry) => graph.nodeLabel(entry.node));
        throw new PareError(
          "MODEL_CYCLE",
          `Nodes depend on one another in a circle: ${loop.slice(0, 8).join(" → ")}.`,
          { where: loop[0] ?? "" },
        );
      }
      if (known === undefined) open(producer);
    }
  };
  for (const output of body.outputs) {
    const { producer } = graph.value(output);
    if (producer !== null && body.nodes.has(producer) && !state.has(producer)) visit(producer);
  }
  for (const id of body.nodes) if (!state.has(id)) visit(id);
  return order;
}
