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

/** Of a matrix whose numbers are smaller by so much than those of the largest, less than four bits of eight are left. */
const mostApart = 16;

/** Why no scale stands for its constants; null where one does. */
async function withoutScale({ linear, weightTensor, bias }: WeightedNode): Promise<string | null> {
  const values = await weightTensor.readFloat32();
  if (!allFinite(values)) return "its weights are not all finite";
  if (linear.kind === "matrix" && areApart(values, weightTensor.dims))
    return "one scale is for all its stacked matrices, of which some are far smaller than others";
  return bias === null || allFinite(await bias.tensor.readFloat32())
    ? null
    : "its bias is not all finite";
}

function areApart(values: Float32Array, dims: readonly number[]): boolean {
  const size = dims.slice(-2).reduce((product, each) => product * each, 1);
  const peaks: number[] = [];
  for (let start = 0; start < values.length; start += size) {
    let peak = 0;
    for (let at = start; at < start + size; at += 1)
      peak = Math.max(peak, Math.abs(values[at] as number));
    if (peak > 0) peaks.push(peak);
  }
  const least = peaks.reduce((a, b) => Math.min(a, b), Infinity);
  const most = peaks.reduce((a, b) => Math.max(a, b), 0);
  return peaks.length > 1 && most > mostApart * least;
}
