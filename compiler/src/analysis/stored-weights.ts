import type { Graph, Node, Tensor, ValueId } from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";

/**
 * A float32 constant that a node reads as weights, and that can be stored smaller. The rest of the constants are
 * shapes, masks, anchors: left exact.
 */
export interface StoredWeight {
  readonly value: ValueId;
  readonly tensor: Tensor;
  /** The axis along which scales differ, by what the first reader does; undefined: one scale. */
  readonly axis: number | undefined;
  readonly reader: Node;
}

/** The weights of all bodies of at least `minBytes`, in order of execution. */
export function storedWeights(graph: Graph, minBytes: number): readonly StoredWeight[] {
  const found = new Map<ValueId, StoredWeight>();
  for (const body of graph.allBodies()) {
    for (const node of graph.order(body)) {
      for (const { input, channelAxis } of operatorOf(node)?.traits.weights ?? []) {
        const value = node.inputs[input];
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
          axis: channelAxis(tensor.dims.length, attributeReader(node.attributes)),
          reader: node,
        });
      }
    }
  }
  return [...found.values()];
}
