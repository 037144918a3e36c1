import type { Graph, Tensor, Use, Value, ValueId } from "../ir/index.js";
import { holdsScale, operatorOf } from "../ops/index.js";

/**
 * Trained numbers: the elements of all constants but shapes, indices and truth values (int64, bool, text) and the
 * scales and zero points of quantization, so that a quantized model has as many as its float one.
 */
export function countParameters(graph: Graph): number {
  let total = 0;
  for (const { tensor } of trainedTensors(graph)) total += tensor.count;
  return total;
}

/** The constants whose elements are trained numbers, wherever they stand. */
export function trainedTensors(
  graph: Graph,
): readonly { readonly value: Value; readonly tensor: Tensor }[] {
  return [...graph.allValues()].flatMap((value) => {
    const tensor = value.constant ?? constantOf(graph, value);
    const isOne = tensor !== undefined && isTrained(tensor) && !isScale(graph, value);
    return isOne ? [{ value, tensor }] : [];
  });
}

/** Bytes of all constants as they are stored. */
export function countConstantBytes(graph: Graph): number {
  let total = 0;
  for (const value of graph.allValues()) {
    total += (value.constant ?? constantOf(graph, value))?.byteLength ?? 0;
  }
  return total;
}

function constantOf(graph: Graph, value: Value): Tensor | undefined {
  const node = graph.producer(value.id);
  const attribute = node?.op === "Constant" ? node.attributes.get("value") : undefined;
  return attribute?.type === "tensor" ? attribute.value : undefined;
}

function isTrained({ dtype }: Tensor): boolean {
  return dtype !== "int64" && dtype !== "bool" && dtype !== "string";
}

/** Rows of scales are looked up, and told as floats: so many operators lie before what multiplies with them. */
const mostBetween = 2;

function isScale(graph: Graph, { uses }: Pick<Value, "uses">, between = mostBetween): boolean {
  return (
    uses.length > 0 &&
    uses.every((use) => isOfRounding(graph, use) || isPassedOn(graph, use, between))
  );
}

function isPassedOn(graph: Graph, use: Use, between: number): boolean {
  if (between === 0 || use.kind !== "node" || use.index !== 0) return false;
  const { op, outputs } = graph.node(use.node);
  const [result] = outputs;
  if ((op !== "Gather" && op !== "Cast") || result === undefined || result === null) return false;
  return isScale(graph, graph.value(result), between - 1);
}

/** A scale or zero point where it is read, or a factor of what was rounded. */
function isOfRounding(graph: Graph, use: Use): boolean {
  if (use.kind !== "node") return false;
  const node = graph.node(use.node);
  const scales = operatorOf(node)?.traits.scales;
  if (scales !== undefined && holdsScale(scales, use.index)) return true;
  return (
    node.op === "Mul" &&
    node.inputs.some((value, index) => index !== use.index && isInSteps(graph, value))
  );
}

/** Another scale, or integers that are told as floats. */
function isInSteps(graph: Graph, value: ValueId | null): boolean {
  const producer = graph.producer(value);
  if (producer === undefined) return false;
  const scale = operatorOf(producer)?.traits.scales?.output;
  if (scale !== undefined) return producer.outputs[scale] === value;
  if (producer.op !== "Cast") return false;
  const [told] = producer.inputs;
  const lookup = graph.producer(told);
  const stored = graph.constant(lookup?.op === "Gather" ? lookup.inputs[0] : told);
  return stored !== undefined && isInteger(stored);
}

function isInteger({ dtype }: Tensor): boolean {
  return /^u?int\d/.test(dtype);
}
