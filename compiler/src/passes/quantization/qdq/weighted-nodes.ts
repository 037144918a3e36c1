import {
  isWeightedOp,
  multipliesIntegers,
  type WeightedNode,
  weightedNode,
} from "../../../analysis/weighted-node.js";
import type { Graph, Node, NodeId } from "../../../ir/index.js";
import { allFinite } from "../finite.js";

/** The nodes of the main graph whose weights become integers, in order, and why the others do not. */
export interface WeightedNodes {
  readonly taken: ReadonlyMap<NodeId, WeightedNode>;
  readonly left: readonly { readonly node: Node; readonly why: string }[];
  /** Of those left: the ones that could be taken, but for an infinity or a NaN in their constants. */
  readonly notFinite: ReadonlySet<NodeId>;
}

/** @param excluded why a node that could be taken is not; null where it is */
export async function weightedNodes(
  graph: Graph,
  excluded: (weighted: WeightedNode) => string | null,
): Promise<WeightedNodes> {
  const taken = new Map<NodeId, WeightedNode>();
  const left: { node: Node; why: string }[] = [];
  const notFinite = new Set<NodeId>();
  for (const node of graph.order()) {
    if (!isWeightedOp(node) && !multipliesIntegers(node)) continue;
    const weighted = weightedNode(graph, node);
    if ("why" in weighted) {
      left.push({ node, why: weighted.why });
      continue;
    }
    const asked = excluded(weighted);
    const unfit = asked === null ? await withoutScale(weighted) : null;
    if (unfit !== null) notFinite.add(node.id);
    const why = asked ?? unfit;
    if (why === null) taken.set(node.id, weighted);
    else left.push({ node, why });
  }
  return { taken, left, notFinite };
}

/** Why no scale stands for its constants; null where one does. */
async function withoutScale({ weightTensor, bias }: WeightedNode): Promise<string | null> {
  if (!allFinite(await weightTensor.readFloat32())) return "its weights are not all finite";
  return bias === null || allFinite(await bias.tensor.readFloat32())
    ? null
    : "its bias is not all finite";
}
