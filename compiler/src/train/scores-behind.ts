import { type Graph, isStatic, type Node, sameShape, shapeOf, type ValueId } from "../ir/index.js";
import { attributeReader } from "../ops/index.js";

/**
 * What a last Softmax, LogSoftmax or Sigmoid is taken of, also where what comes after it leaves the classes as they are; where
 * there is none, the value itself.
 * @returns with the axis of it that a softmax goes along, where it says so
 */
export function scoresBehind(
  graph: Graph,
  value: ValueId,
): { readonly value: ValueId; readonly activation: string | null; readonly axis: number | null } {
  const shares = givenAs(graph, value);
  const producer = graph.producer(shares);
  const input = producer?.inputs[0];
  if (producer === undefined || input === null || input === undefined)
    return { value, activation: null, axis: null };
  if (!["Softmax", "LogSoftmax", "Sigmoid"].includes(producer.op))
    return { value, activation: null, axis: null };
  if (producer.op === "Sigmoid") return { value: input, activation: producer.op, axis: null };
  const along = attributeReader(producer.attributes).int("axis", -1);
  const shape = shapeOf(graph, shares);
  const axis = along < 0 ? (shape?.length ?? 0) + along : along;
  const isLast = along === -1 || (shape ?? []).slice(axis + 1).every((size) => size === 1);
  // Behind another shape the axis is another, but for the last.
  if (!isLast && !sameShape(shape ?? [], shapeOf(graph, value)))
    return { value, activation: null, axis: null };
  return { value: input, activation: producer.op, axis: shape === undefined ? null : axis };
}

/** What a value is before all that leaves each sample's classes and their order as they are. */
export function givenAs(graph: Graph, value: ValueId): ValueId {
  const before = leftAsIs(graph, graph.producer(value));
  return before === null ? value : givenAs(graph, before);
}

/** What a node passes on, where it keeps each sample's classes and their order: all but their bounds and dims of 1. */
function leftAsIs(graph: Graph, node: Node | undefined): ValueId | null {
  const [input] = node?.inputs ?? [];
  const [output] = node?.outputs ?? [];
  if (node === undefined || input === null || input === undefined || output === null) return null;
  if (["Identity", "Dropout", "Clip"].includes(node.op)) return input;
  if (output === undefined || !["Reshape", "Flatten", "Squeeze", "Unsqueeze"].includes(node.op))
    return null;
  const [from, to] = [shapeOf(graph, input), shapeOf(graph, output)];
  if (from === undefined || to === undefined || !isStatic(from) || !isStatic(to)) return null;
  const isSame =
    from[0] === to[0] && classDims(from.slice(1)).at(-1) === classDims(to.slice(1)).at(-1);
  return isSame ? input : null;
}

/** Dims of 1 are no axis of classes, and tell no values apart. */
export function classDims(dims: readonly number[]): readonly number[] {
  const own = dims.filter((size) => size !== 1);
  return own.length > 0 || dims.length === 0 ? own : [1];
}
