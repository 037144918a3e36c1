import type { NodeId } from "../ir/index.js";
import type { Rule } from "./rule.js";

/** Rules that apply at some nodes alone. */
export function atNodes(nodes: ReadonlySet<NodeId>, rules: readonly Rule[]): readonly Rule[] {
  return rules.map((rule) => ({
    ...rule,
    match: (graph, node) => (nodes.has(node.id) ? rule.match(graph, node) : undefined),
  }));
}
