import { type Graph, isStatic, type Node, shapeOf, type ValueId } from "../ir/index.js";

/**
 * What a last Softmax, LogSoftmax or Sigmoid is taken of, also where what comes after it leaves the classes as they are; where
 * there is none, the value itself.
 */
export function scoresBehind(
  graph: Graph,
  value: ValueId,
): { readonly value: ValueId; readonly activation: string | null } {
  let [shares, producer] = [value, graph.producer(value)];
  for (let before = leftAsIs(graph, producer); before !== null;) {
    [shares, producer] = [before, graph.producer(before)];
    before = leftAsIs(graph, producer);
  }
  const input = producer?.inputs[0];
  if (producer === undefined || input === null || input === undefined)
    return { value, activation: null };
  if (!["Softmax", "LogSoftmax", "Sigmoid"].includes(producer.op))
    return { value, activation: null };
  if (producer.op !== "Sigmoid") {
    const axis = producer.attributes.get("axis");
    const along = axis?.type === "int" ? Number(axis.value) : -1;
    const shape = shapeOf(graph, shares) ?? [];
    const after = along < 0 ? shape.slice(shape.length + along + 1) : shape.slice(along + 1);
    if (along !== -1 && after.some((size) => size !== 1)) return { value, activation: null };
  }
  return { value: input, activation: producer.op };
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
