import type { Graph, Node } from "../../ir/index.js";
import { operators } from "../../ops/index.js";
import { either, formerly, type Kind, listOf, text } from "../../pipeline/kinds.js";
import { fields, option } from "../../pipeline/options.js";

/** What stays as it is: nodes by name (that of the first output, where a node has none), or operators by type. */
export interface KeepFloat {
  readonly nodes: readonly string[];
  readonly ops: readonly string[];
}

export const nothingKept: KeepFloat = { nodes: [], ops: [] };

/**
 * `{ nodes: […], ops: […] }`, or, as it was before, one list of texts. There an operator that is known means all nodes
 * of that type, never a node that happens to have its name; any other text means both.
 */
export const keepFloatKind: Kind<KeepFloat> = either(
  fields({
    nodes: option(listOf(text), [], "By name."),
    ops: option(listOf(text), [], "By type."),
  }),
  formerly(listOf(text), (texts) => ({
    ops: texts,
    nodes: texts.filter((one) => !isOperator(one)),
  })),
);

export function isKept(graph: Graph, node: Node, { nodes, ops }: KeepFloat): boolean {
  return ops.includes(node.op) || nodes.includes(graph.nodeLabel(node));
}

/** Of any domain. */
function isOperator(name: string): boolean {
  for (const key of operators.keys()) if (key === name || key.endsWith(`::${name}`)) return true;
  return false;
}
