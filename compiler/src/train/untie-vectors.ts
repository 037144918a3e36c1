import { edit, type Graph, type Node, type NodeId, type ValueId } from "../ir/index.js";
import { learnedInputs } from "./learned-inputs.js";

/**
 * Gives what reads a bias, a scale or a statistic one that nothing else reads. Exporters and `simplify` write equal
 * constants once, so that biases of zeros are one by chance, and so are a norm's bias and mean: learned as one they would
 * stay equal. Layers that are applied several times share theirs on purpose: nodes of one kind behind the same weights
 * still do. Weights stay shared.
 * @param stays vectors that are left as they are; none where not given
 * @returns whether there were any
 */
export function untieVectors(
  graph: Graph,
  stays: (value: ValueId) => boolean = () => false,
): boolean {
  const shared = sharedVectors(graph, stays);
  if (shared.size === 0) return false;
  const before = graph.changes;
  edit(graph, "untie", (editor) => {
    for (const [value, groups] of shared) {
      const tensor = graph.constant(value);
      if (tensor === undefined) continue;
      for (const readers of groups.values()) {
        const { name, uses } = graph.value(value);
        // Nothing else reads it any more.
        if (uses.length === readers.length) break;
        const own = editor.constant(name, tensor);
        for (const { node, input } of readers) editor.setInput(node, input, own);
      }
    }
  });
  return graph.changes !== before;
}

interface Reader {
  readonly node: NodeId;
  readonly input: number;
}

/** Vectors that are read more than once, and what of their readers learns the same. */
function sharedVectors(
  graph: Graph,
  stays: (value: ValueId) => boolean,
): ReadonlyMap<ValueId, ReadonlyMap<string, readonly Reader[]>> {
  const found = new Map<ValueId, Map<string, Reader[]>>();
  const places = placesOf(graph);
  for (const node of graph.order())
    for (const { input, as } of learnedInputs(graph, node)) {
      const value = node.inputs[input];
      if (as === "weight" || value === undefined || value === null) continue;
      if (graph.constant(value) === undefined || graph.value(value).uses.length < 2) continue;
      if (stays(value)) continue;
      const place = places.get(node.id);
      const key = `${input} of ${place === undefined ? `node ${node.id}` : place.number}`;
      const groups = found.get(value) ?? new Map<string, Reader[]>();
      found.set(value, groups);
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ node: node.id, input });
    }
  return found;
}

/** Where a node stands. */
interface Place {
  /** Of the last node before it that has weights, in the order of execution. */
  readonly weightsAt: number;
  /** The same for nodes with which the same nodes lead there from the same weights. */
  readonly number: number;
}

/** Of all nodes behind weights. */
function placesOf(graph: Graph): ReadonlyMap<NodeId, Place> {
  const places = new Map<NodeId, Place>();
  const numbers = new Map<string, number>();
  for (const [at, node] of graph.order().entries()) {
    const weights = weightsOf(graph, node);
    const before = lastBefore(graph, node, places);
    if (weights.length === 0 && before === undefined) continue;
    const from = weights.length > 0 ? `weights ${weights.join()}` : `place ${before?.number}`;
    const key = `${node.domain}.${node.op} at ${from}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    const weightsAt = weights.length > 0 ? at : (before?.weightsAt ?? at);
    places.set(node.id, { weightsAt, number });
  }
  return places;
}

function weightsOf(graph: Graph, node: Node): readonly ValueId[] {
  return learnedInputs(graph, node).flatMap(({ input, as }) => {
    const value = node.inputs[input];
    return as === "weight" && graph.constant(value) !== undefined ? (value ?? []) : [];
  });
}

/** Of several ways to weights the one to those that are computed last: a layer's own, beside what goes around it. */
function lastBefore(
  graph: Graph,
  node: Node,
  places: ReadonlyMap<NodeId, Place>,
): Place | undefined {
  let last: Place | undefined;
  for (const input of node.inputs) {
    const producer = graph.producer(input);
    const place = producer && places.get(producer.id);
    if (place !== undefined && (last === undefined || place.weightsAt > last.weightsAt))
      last = place;
  }
  return last;
}
