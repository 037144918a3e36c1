import type { Graph } from "../ir/index.js";
import { storedWeights } from "./stored-weights.js";
import { isWeightedOp, macs, type WeightedNode, weightedNode } from "./weighted-node.js";

/** Where a graph's work and bytes are: what proposals go by. */
export interface Workload {
  /** Nodes that multiply an activation with constant float32 weights, by kind. */
  readonly full: number;
  readonly pointwise: number;
  readonly depthwise: number;
  readonly matmul: number;
  /** The share of multiply-accumulates that are in MatMul and Gemm; 0 where there are none at all. */
  readonly matmulShare: number;
  /** Bytes of float32 weights that can be stored smaller. */
  readonly weightBytes: number;
}

export function workloadOf(graph: Graph): Workload {
  const nodes: WeightedNode[] = [];
  for (const node of graph.main.nodes) {
    const weighted = isWeightedOp(graph.node(node))
      ? weightedNode(graph, graph.node(node))
      : undefined;
    if (weighted !== undefined && !("why" in weighted)) nodes.push(weighted);
  }
  const count = (kind: WeightedNode["kind"]): number =>
    nodes.filter((node) => node.kind === kind).length;
  const work = (of: readonly WeightedNode[]): number =>
    of.reduce((sum, node) => sum + macs(graph, node), 0);
  const total = work(nodes);
  return {
    full: count("full"),
    pointwise: count("pointwise"),
    depthwise: count("depthwise"),
    matmul: count("matmul"),
    matmulShare: total === 0 ? 0 : work(nodes.filter((node) => node.kind === "matmul")) / total,
    weightBytes: storedWeights(graph, smallestWeight).reduce(
      (sum, { tensor }) => sum + tensor.byteLength,
      0,
    ),
  };
}

/** Smaller tensors are not worth a node. */
const smallestWeight = 1024;
