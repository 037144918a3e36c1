import type { Graph, Node, ValueId } from "../ir/index.js";
import { type LearnedInput, operatorOf } from "../ops/index.js";
import { isMask } from "./is-mask.js";

/**
 * What was learned of a layer that an exporter wrote as several operators: the bias of a product or convolution, added
 * behind it, one number for each of its outputs; and what scales and shifts behind a norm, which is written out itself or, for
 * groups of channels, as an InstanceNormalization between two Reshapes. What is added to a product of two activations is a
 * mask, and what differs from place to place an encoding of places.
 */
export function writtenOut(graph: Graph, node: Node): readonly LearnedInput[] {
  if (node.domain !== "" || (node.op !== "Mul" && node.op !== "Add")) return [];
  const at = node.inputs.findIndex((id) => isVector(graph, id));
  const [from, constant] = [node.inputs[1 - at], node.inputs[at]];
  if (at === -1 || from === undefined || from === null || constant === undefined) return [];
  const isOfMany = (graph.constant(constant)?.count ?? 0) > 1 && !isMask(graph, constant);
  if (node.op === "Mul")
    return isOfMany && isNormalized(graph, from) ? [{ input: at, as: "scale" }] : [];
  const isShift = (isOfMany && isScaledNorm(graph, from)) || isBiasOf(graph, from, constant);
  return isShift ? [{ input: at, as: "bias" }] : [];
}

/** Are the numbers of a norm over groups the exporter's own, because all that read it scale its channels again? */
export function isScaledAgain(graph: Graph, node: Node): boolean {
  if (node.op !== "InstanceNormalization" || node.domain !== "") return false;
  const readers = readersOf(graph, node);
  const scales = readers.flatMap((reader) => readersOf(graph, reader));
  return (
    scales.length > 0 &&
    readers.every(({ op }) => op === "Reshape") &&
    scales.every((one) => one.op === "Mul" && writtenOut(graph, one).length > 0)
  );
}

function readersOf(graph: Graph, { outputs }: Node): readonly Node[] {
  return outputs.flatMap((id) => (id === null ? [] : graph.consumers(id)));
}

/** At most one dim is more than 1. */
function isVector(graph: Graph, id: ValueId | null): boolean {
  const dims = graph.constant(id)?.dims;
  return dims !== undefined && dims.filter((size) => size !== 1).length <= 1;
}

function isBiasOf(graph: Graph, from: ValueId, constant: ValueId | null): boolean {
  const producer = graph.producer(from);
  const linear = producer && operatorOf(producer)?.traits.linear;
  if (producer === undefined || linear === undefined) return false;
  const weight = graph.constant(producer.inputs[linear.weight]);
  if (weight === undefined) return false;
  const dims = graph.constant(constant)?.dims ?? [];
  // Outputs are the last axis of a product, and the second of a map.
  if (linear.bias === undefined) return dims.slice(0, -1).every((size) => size === 1);
  const isOpen = (producer.inputs[linear.bias] ?? null) === null;
  const channels = dims.length - (weight.dims.length - 1);
  return isOpen && channels >= 0 && dims.every((size, axis) => size === 1 || axis === channels);
}

/** A norm, with what scales it if anything does. */
function isScaledNorm(graph: Graph, id: ValueId): boolean {
  if (isNormalized(graph, id)) return true;
  const producer = graph.producer(id);
  if (producer?.op !== "Mul" || producer.domain !== "") return false;
  return writtenOut(graph, producer).length > 0;
}

const norms: ReadonlySet<string> = new Set([
  "InstanceNormalization",
  "GroupNormalization",
  "LayerNormalization",
  "MeanVarianceNormalization",
]);

/** Is it divided by the root of what was computed, or the result of a norm, perhaps in another shape? */
function isNormalized(graph: Graph, id: ValueId | null | undefined): boolean {
  const producer = graph.producer(id);
  if (producer === undefined || producer.domain !== "") return false;
  const { op, inputs } = producer;
  if (norms.has(op)) return true;
  if (op === "Reshape" || op === "Cast") {
    const behind = graph.producer(inputs[0]);
    return behind !== undefined && (norms.has(behind.op) || isByRoot(graph, behind));
  }
  return isByRoot(graph, producer);
}

function isByRoot(graph: Graph, { op, inputs }: Node): boolean {
  if (op === "Div") return isRoot(graph, inputs[1]);
  return op === "Mul" && inputs.some((id) => isInverseRoot(graph, id));
}

/** The root of what was summed of values: that of a size is a number, by which attention divides. */
function isRoot(graph: Graph, id: ValueId | null | undefined): boolean {
  const producer = graph.producer(id);
  return producer?.op === "Sqrt" && isReduced(graph, producer.inputs[0], mostSteps);
}

/** From a sum to its root, with an epsilon on the way, a mean made of it, a minimum. */
const mostSteps = 4;

function isReduced(graph: Graph, id: ValueId | null | undefined, steps: number): boolean {
  const producer = graph.producer(id);
  if (producer === undefined || steps === 0) return false;
  if (/^Reduce|^GlobalAveragePool$/.test(producer.op)) return true;
  return (
    onTheWay.has(producer.op) && producer.inputs.some((input) => isReduced(graph, input, steps - 1))
  );
}

const onTheWay: ReadonlySet<string> = new Set(["Add", "Cast", "Clip", "Div", "Max", "Mul", "Sub"]);

function isInverseRoot(graph: Graph, id: ValueId | null | undefined): boolean {
  const producer = graph.producer(id);
  if (producer?.op === "Reciprocal") return isRoot(graph, producer.inputs[0]);
  return (
    producer?.op === "Div" &&
    graph.constant(producer.inputs[0]) !== undefined &&
    isRoot(graph, producer.inputs[1])
  );
}
