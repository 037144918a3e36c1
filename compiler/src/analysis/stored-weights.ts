import type { Graph, Node, Tensor, ValueId } from "../ir/index.js";
import { attributeReader, operatorOf, type WeightInput } from "../ops/index.js";

/**
 * A float32 constant that a node reads as weights, and that can be stored smaller. The rest of the constants are
 * shapes, masks, anchors: left exact.
 */
export interface StoredWeight {
  readonly value: ValueId;
  readonly tensor: Tensor;
  /** The axis along which scales differ, by what the first reader does; undefined: one scale. */
  readonly axis: number | undefined;
  /** Where matrices are stacked, the axis that is summed over: whatever differs on another one has a scale of its own. */
  readonly summed: number | undefined;
  readonly reader: Node;
}

/** Shorter rows of a table are weights only where they are read as such: others are positions, sizes, steps of a schedule. */
const shortestRow = 8;

/** Shorter sums cost more in scales of their own than these are worth. */
const shortestSum = 8;

/** The weights of all bodies of at least `minBytes`, in order of execution. */
export function storedWeights(graph: Graph, minBytes: number): readonly StoredWeight[] {
  const found = new Map<ValueId, StoredWeight>();
  for (const body of graph.allBodies())
    for (const node of graph.order(body))
      for (const input of operatorOf(node)?.traits.weights ?? []) {
        const stored = storedWeight(graph, node, input);
        if (stored === null || found.has(stored.value)) continue;
        if (stored.tensor.byteLength >= minBytes) found.set(stored.value, stored);
      }
  return [...found.values()];
}

function storedWeight(graph: Graph, node: Node, weights: WeightInput): StoredWeight | null {
  const value = node.inputs[weights.input];
  const tensor = graph.constant(value);
  if (value === null || value === undefined || tensor?.dtype !== "float32") return null;
  const { dims, count } = tensor;
  if (dims.length === 0 || graph.isOutput(value)) return null;
  const attributes = attributeReader(node.attributes);
  const axis = weights.channelAxis(dims.length, attributes);
  const summed = weights.summedAxis?.(dims.length, attributes);
  const width = count / sizeAt(dims, axis);
  if (weights.isTable === true && width < shortestRow && (width < 2 || !isReadAsRows(graph, node)))
    return null;
  const isStacked =
    axis !== undefined &&
    summed !== undefined &&
    sizeAt(dims, summed) >= shortestSum &&
    count > sizeAt(dims, axis) * sizeAt(dims, summed);
  return { value, tensor, axis, summed: isStacked ? summed : undefined, reader: node };
}

function isReadAsRows(graph: Graph, { outputs }: Node): boolean {
  const readers = outputs.flatMap((id) => (id === null ? [] : graph.consumers(id)));
  return (
    readers.length > 0 && readers.every((reader) => operatorOf(reader)?.traits.readsRows === true)
  );
}

function sizeAt(dims: readonly number[], axis: number | undefined): number {
  return axis === undefined ? 1 : (dims[axis] ?? 1);
}
