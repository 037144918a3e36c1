import { type Graph, type Node, shapeOf, type ValueId } from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";

/** Nodes back to which channels are looked for. */
const mostLookedAt = 64;

/**
 * The axis of a value along which classes lie: its channels. Convolutions have them second, products of matrices last, and what
 * only moves or scales elements keeps them where they are. Where nothing tells, maps have theirs second, as ONNX's
 * operators on maps do, and all else last.
 */
export function classAxis(graph: Graph, value: ValueId): number {
  const rank = shapeOf(graph, value)?.length ?? 2;
  /** Of each axis of the value, that of what is looked at. */
  let axes = Array.from({ length: rank }, (_, axis) => axis);
  let at: ValueId | null = value;
  for (let looked = 0; at !== null && looked < mostLookedAt; looked += 1) {
    const node: Node | undefined = graph.producer(at);
    if (node === undefined) break;
    const found = channelsOf(node, rank);
    if (found !== null) return axes.indexOf(found);
    if (node.op === "Transpose" && node.domain === "") {
      const order = attributeReader(node.attributes).ints("perm");
      const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
      axes = axes.map((axis) => (order ?? reversed)[axis] ?? axis);
    }
    at = sourceOf(graph, node, rank);
  }
  return rank > 3 ? 1 : rank - 1;
}

/** Where a node that sums over channels puts its own; null of others. */
function channelsOf(node: Node, rank: number): number | null {
  const linear = operatorOf(node)?.traits.linear;
  if (linear !== undefined) return linear.kind === "matrix" ? rank - 1 : 1;
  return node.op === "BatchNormalization" && node.domain === "" ? 1 : null;
}

/** The operand of as many axes that a node keeps in their order; null where it may not. */
function sourceOf(graph: Graph, node: Node, rank: number): ValueId | null {
  const traits = operatorOf(node)?.traits;
  const isMoved = ["copies", "joins", "pads", "permutes"].includes(traits?.dataMovement ?? "");
  const isOther = node.domain === "" && ["Dropout", "Resize", "Softmax"].includes(node.op);
  const keeps = traits?.elementwise === true || isMoved || isOther;
  if (!keeps) return null;
  const operand = node.inputs.find(
    (input) =>
      input !== null &&
      graph.constant(input) === undefined &&
      shapeOf(graph, input)?.length === rank,
  );
  return operand ?? null;
}
