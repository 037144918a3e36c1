import type { Graph, Node, Tensor, ValueId } from "../ir/index.js";
import { channelAxis } from "./weighted-node.js";

/** A float32 constant that a node reads as weights, and that can be stored smaller. */
export interface StoredWeight {
  readonly value: ValueId;
  readonly tensor: Tensor;
  /** The axis along which scales differ, by what the first reader does; undefined: one scale. */
  readonly axis: number | undefined;
  readonly reader: Node;
}

/** Which input of which operator is weights; the rest of the constants are shapes, masks, anchors: left exact. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  MatMul: [0, 1],
  Gemm: [0, 1],
  Gather: [0],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
};

/** The weights of all bodies of at least `minBytes`, in order of execution. */
export function storedWeights(graph: Graph, minBytes: number): readonly StoredWeight[] {
  const found = new Map<ValueId, StoredWeight>();
  for (const body of graph.allBodies()) {
    for (const node of graph.order(body)) {
      if (node.domain !== "") continue;
      for (const index of weightInputs[node.op] ?? []) {
        const value = node.inputs[index];
        const tensor = graph.constant(value);
        if (value === null || value === undefined || tensor === undefined || found.has(value))
          continue;
        if (
          tensor.dtype !== "float32" ||
          tensor.dims.length === 0 ||
          tensor.byteLength < minBytes ||
          graph.isOutput(value)
        )
          continue;
        found.set(value, {
          value,
          tensor,
          axis: scaleAxis(node, index, tensor.dims.length),
          reader: node,
        });
      }
    }
  }
  return [...found.values()];
}

function scaleAxis(node: Node, index: number, rank: number): number | undefined {
  switch (node.op) {
    case "Gather":
      return rank === 2 ? 0 : undefined;
    case "LSTM":
    case "GRU":
    case "RNN":
      return 1;
    case "MatMul":
      return rank === 1 ? undefined : index === 0 ? rank - 2 : rank - 1;
    case "Gemm":
      return index === 0 ? undefined : channelAxis(node, rank);
    default:
      return channelAxis(node, rank);
  }
}
