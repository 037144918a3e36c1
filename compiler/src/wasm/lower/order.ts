import type { Graph, Node } from "../../ir/index.js";
import { LeastFirst } from "./least-first.js";

/** What sums over weights can take in what another node gives, if that is there already. */
const sums: ReadonlySet<string> = new Set([
  "Conv",
  "ConvTranspose",
  "MatMul",
  "Gemm",
  "MatMulInteger",
  "ConvInteger",
]);

/**
 * A graph's nodes in an order that it allows: of those that could be next the first, but no product or convolution before
 * all else is done. What is added to one's result, and does not depend on it, is then there before it.
 */
export function loweringOrder(graph: Graph): readonly Node[] {
  const nodes = [...graph.order()];
  const place = new Map(nodes.map((node, at) => [node, at]));
  const missing = new Map<Node, number>();
  const ready = { plain: new LeastFirst(), sums: new LeastFirst() };
  const push = (node: Node): void =>
    (sums.has(node.op) ? ready.sums : ready.plain).add(place.get(node) ?? 0);
  const makers = new Set(nodes.flatMap(({ outputs }) => outputs.filter((id) => id !== null)));
  for (const node of nodes) {
    const waits = new Set(node.inputs.filter((id) => id !== null && makers.has(id))).size;
    missing.set(node, waits);
    if (waits === 0) push(node);
  }
  const order: Node[] = [];
  for (;;) {
    const at = ready.plain.take() ?? ready.sums.take();
    const node = at === undefined ? undefined : nodes[at];
    if (node === undefined) return order;
    order.push(node);
    for (const id of new Set(node.outputs)) {
      if (id === null) continue;
      for (const reader of new Set(graph.consumers(id))) {
        const waits = (missing.get(reader) ?? 0) - 1;
        missing.set(reader, waits);
        if (waits === 0) push(reader);
      }
    }
  }
}
