import { PareError } from "@pare/runtime/format";
import type { Message } from "./schema.js";

type NodeProto = Message<"NodeProto">;
type GraphProto = Message<"GraphProto">;

/**
 * Nodes so that each comes after those it reads from: as they are where that holds, else moved as little as a
 * depth-first walk moves them.
 * @throws PareError MODEL_CYCLE
 */
export function sortNodes(nodes: readonly NodeProto[]): readonly NodeProto[] {
  const producers = new Map<string, number>();
  nodes.forEach((node, index) => node.output?.forEach((name) => producers.set(name, index)));
  const needs = nodes.map((node) => {
    const found = new Set<number>();
    for (const name of readNames(node)) {
      const producer = name === "" ? undefined : producers.get(name);
      if (producer !== undefined) found.add(producer);
    }
    return [...found];
  });
  if (needs.every((producersOf, index) => producersOf.every((producer) => producer < index)))
    return nodes;

  const order: NodeProto[] = [];
  const state = new Map<number, "open" | "done">();
  for (const root of nodes.keys()) {
    const stack = state.has(root) ? [] : [{ index: root, next: 0 }];
    if (stack.length > 0) state.set(root, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = needs[top.index]?.[top.next];
      top.next += 1;
      if (need === undefined) {
        state.set(top.index, "done");
        const node = nodes[top.index];
        if (node !== undefined) order.push(node);
        stack.pop();
      } else if (state.get(need) === "open") {
        const from = stack.findIndex(({ index }) => index === need);
        throw cycle(stack.slice(from).map(({ index }) => labelOf(nodes[index])));
      } else if (!state.has(need)) {
        state.set(need, "open");
        stack.push({ index: need, next: 0 });
      }
    }
  }
  return order;
}

/** The names a node reads, those that its graphs take from outside included. */
function readNames(node: NodeProto): readonly string[] {
  const names = [...(node.input ?? [])];
  for (const { g, graphs } of node.attribute ?? []) {
    if (g !== undefined) names.push(...capturedNames(g));
    for (const graph of graphs ?? []) names.push(...capturedNames(graph));
  }
  return names;
}

function capturedNames(graph: GraphProto): readonly string[] {
  const own = new Set<string | undefined>();
  for (const { name } of graph.input ?? []) own.add(name);
  for (const { name } of graph.initializer ?? []) own.add(name);
  for (const { values } of graph.sparseInitializer ?? []) own.add(values?.name);
  for (const { output } of graph.node ?? []) for (const name of output ?? []) own.add(name);
  const read = (graph.node ?? []).flatMap(readNames);
  for (const { name } of graph.output ?? []) if (name !== undefined) read.push(name);
  return read.filter((name) => !own.has(name));
}

function cycle(labels: readonly string[]): PareError {
  // The walk goes from reader to producer; data flows the other way.
  const loop = [...labels].reverse();
  const shown = [...loop.slice(0, 8), loop.length > 8 ? "…" : (loop[0] ?? "")].join(" → ");
  return new PareError("MODEL_CYCLE", `Nodes depend on one another in a circle: ${shown}.`, {
    where: loop[0] ?? "",
  });
}

export function labelOf(node: NodeProto | undefined): string {
  return node?.name || node?.output?.find((name) => name !== "") || node?.opType || "a node";
}
