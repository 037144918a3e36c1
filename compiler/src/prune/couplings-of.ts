import type { Graph, Node } from "../ir/index.js";
import { channelNode, type Coupling, operatorOf } from "../ops/index.js";

/**
 * How channels pass through a node of a graph. Not at all where the size of one of its inputs is not known: it may have as many
 * of them, which would stay.
 */
export function couplingsOf(graph: Graph, node: Node): readonly Coupling[] {
  const view = channelNode(graph, node);
  const isKnown = node.inputs.every(
    (id, index) => id === null || view.shape({ side: "input", index }) !== undefined,
  );
  return isKnown ? (operatorOf(node)?.channels?.couplings(view) ?? []) : [];
}
