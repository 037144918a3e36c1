import { type Graph, type Node, type Step, storedWeights, type ValueId } from "@pare/compiler";
import { quoted } from "../terminal/quoted.js";
import { byteText } from "../terminal/words.js";

/** Weights of one operator that quantizing left as float32. */
export interface FloatWeights {
  readonly op: string;
  readonly bytes: number;
  readonly reason: string;
}

/** A weight of fewer bytes is not worth a word. */
const smallestWeight = 1024;
/** A smaller share of the file is as it should be: biases, a first layer. */
const smallestShare = 0.1;

const noWeight = "what it reads is no weight of a layer";

/** What of a graph that a step quantized still has float32 weights, the largest first. */
export function floatWeights(graph: Graph, step: string): readonly FloatWeights[] {
  const reasons = new Map<string, string>();
  for (const { rule, what, node, reason } of graph.journal)
    if (rule === step && what === "left") reasons.set(node, reason);
  const found = new Map<string, FloatWeights>();
  const add = (reader: Node, size: number, otherwise: string): void => {
    const reason = reasons.get(graph.nodeLabel(reader)) ?? otherwise;
    const key = `${reader.op}: ${reason}`;
    const bytes = (found.get(key)?.bytes ?? 0) + size;
    found.set(key, { op: reader.op, bytes, reason });
  };
  const weights = new Set<ValueId>();
  for (const { value, tensor, reader } of storedWeights(graph, smallestWeight)) {
    weights.add(value);
    add(reader, tensor.byteLength, "it is not computed on integers");
  }
  for (const { id, constant } of graph.allValues()) {
    const [reader] = graph.consumers(id);
    if (weights.has(id) || reader === undefined || constant?.dtype !== "float32") continue;
    // Biases and scales are as they should be.
    const isVector = Math.max(1, ...constant.dims) === constant.count;
    if (!isVector && constant.byteLength >= smallestWeight)
      add(reader, constant.byteLength, noWeight);
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes);
}

/** In a sentence, with what to do; null where it is little of a file, or steps have stored as integers what they could. */
export function stayedFloatText(
  weights: readonly FloatWeights[],
  steps: readonly Step[],
  file: string,
  sizeBytes: number,
): string | null {
  const bytes = weights.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes < smallestShare * sizeBytes) return null;
  const each = weights
    .slice(0, 3)
    .map((one) => `${one.op} ${byteText(one.bytes)} (${one.reason})`)
    .join(", ");
  const more = weights.length > 3 ? ", …" : "";
  const share = `${byteText(bytes)} of weights, ${Math.round((100 * bytes) / sizeBytes)} % of the file`;
  const isStored = steps.some(({ use }) => use === "quantize-weights");
  const hint =
    isStored || weights.every(({ reason }) => reason === noWeight || reason.includes("finite"))
      ? ""
      : ` pare quantize ${quoted(file)} --mode weights stores them as int8 as well.`;
  return `${share}, stayed float32: ${each}${more}.${hint}`;
}
