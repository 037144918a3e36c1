import { elementsOf, type Graph, type Node, shapeOf } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { attributeReader } from "../ops/index.js";

/**
 * Does what reads a Shape want to know how large an axis of its input is? Exporters ask for whole shapes, and take of them what
 * they need: of a batch, or of an image, not of channels.
 */
export function readsSize(graph: Graph, node: Node, axis: number): boolean {
  const [output] = node.outputs;
  const rank = shapeOf(graph, node.inputs[0] ?? undefined)?.length;
  if (output === null || output === undefined || rank === undefined) return true;
  const attributes = attributeReader(node.attributes);
  const within = (at: number): number => Math.min(rank, Math.max(0, at < 0 ? at + rank : at));
  const [first, end] = [within(attributes.int("start", 0)), within(attributes.int("end", rank))];
  if (axis < first || axis >= end) return false;
  const { uses } = graph.value(output);
  if (uses.isOutput) return true;
  for (const use of uses) {
    const wanted =
      use.kind === "node" && use.index === 0
        ? takenBy(graph, graph.node(use.node), end - first)
        : undefined;
    if (wanted === undefined || wanted.includes(axis - first)) return true;
  }
  return false;
}

/** Which elements of a list a node takes, as far as constants say so. */
function takenBy(graph: Graph, node: Node, count: number): readonly number[] | undefined {
  const numbers = (index: number): readonly number[] | undefined => {
    const tensor = graph.constant(node.inputs[index] ?? undefined);
    return tensor && elementsOf(tensor);
  };
  if (node.domain !== "") return undefined;
  if (node.op === "Gather") return numbers(1)?.map((at) => normalAxis(at, count));
  if (node.op !== "Slice") return undefined;
  const [[start] = [], [end] = []] = [numbers(1), numbers(2)];
  const [step = 1] = numbers(4) ?? [];
  if (start === undefined || end === undefined || step !== 1) return undefined;
  return [...Array(count).keys()].slice(start, end);
}
