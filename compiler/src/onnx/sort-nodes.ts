import { PareError } from "@pare/runtime/format";
import type { Message } from "./schema.js";
import { definedTwice } from "./scope.js";

type NodeProto = Message<"NodeProto">;
type GraphProto = Message<"GraphProto">;

/**
 * Nodes so that each comes after those it reads from: as they are where that holds, else moved as little as a
 * depth-first walk moves them.
 * @throws PareError MODEL_CYCLE, and MODEL_NAME when a name is defined twice
 */
export function sortNodes(
  nodes: readonly NodeProto[],
  isDefined: (name: string) => boolean,
): readonly NodeProto[] {
  const producers = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of node.output ?? []) {
      if (name === "") continue;
      if (producers.has(name) || isDefined(name)) throw definedTwice(name, labelOf(node));
      producers.set(name, index);
    }
  });
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
        throw cycle(
          nodes,
          stack.slice(from).map(({ index }) => index),
        );
      } else if (!state.has(need)) {
        state.set(need, "open");
        stack.push({ index: need, next: 0 });
      }
    }
  }
  return order;
}

/** The names a node reads, those that its graphs take from outside included. */
function readNames(node: NodeProto): ReadonlySet<string> {
  const names = new Set(node.input);
  for (const { g, graphs = [] } of node.attribute ?? [])
    for (const graph of g === undefined ? graphs : [g, ...graphs])
      for (const name of capturedNames(graph)) names.add(name);
  return names;
}

function capturedNames(graph: GraphProto): ReadonlySet<string> {
  const own = new Set<string | undefined>();
  for (const { name } of graph.input ?? []) own.add(name);
  for (const { name } of graph.initializer ?? []) own.add(name);
  for (const { values } of graph.sparseInitializer ?? []) own.add(values?.name);
  for (const { output } of graph.node ?? []) for (const name of output ?? []) own.add(name);
  const captured = new Set<string>();
  for (const node of graph.node ?? [])
    for (const name of readNames(node)) if (!own.has(name)) captured.add(name);
  for (const { name } of graph.output ?? [])
    if (name !== undefined && !own.has(name)) captured.add(name);
  return captured;
}

/** @param walked positions from reader to producer: data flows the other way */
function cycle(nodes: readonly NodeProto[], walked: readonly number[]): PareError {
  const start = walked.indexOf(walked.reduce((least, index) => Math.min(least, index)));
  const loop = [...walked.slice(0, start + 1).reverse(), ...walked.slice(start + 1).reverse()];
  const labels = loop.map((index) => labelOf(nodes[index]));
  const end = labels.length > 8 ? "…" : (labels[0] ?? "");
  const message = `Nodes depend on one another in a circle: ${[...labels.slice(0, 8), end].join(" → ")}.`;
  return new PareError("MODEL_CYCLE", message, { where: labels[0] ?? "" });
}

export function labelOf(node: NodeProto | undefined): string {
  return node?.name || node?.output?.find((name) => name !== "") || node?.opType || "a node";
}
