import { type Graph, type Step, storedWeights } from "@pare/compiler";
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

/** What of a graph that a step quantized still has float32 weights, the largest first. */
export function floatWeights(graph: Graph, step: string): readonly FloatWeights[] {
  const reasons = new Map<string, string>();
  for (const { rule, what, node, reason } of graph.journal)
    if (rule === step && what === "left") reasons.set(node, reason);
  const found = new Map<string, FloatWeights>();
  for (const { tensor, reader } of storedWeights(graph, smallestWeight)) {
    const reason = reasons.get(graph.nodeLabel(reader)) ?? "it is not computed on integers";
    const key = `${reader.op}: ${reason}`;
    const bytes = (found.get(key)?.bytes ?? 0) + tensor.byteLength;
    found.set(key, { op: reader.op, bytes, reason });
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
  const hint = steps.some(({ use }) => use === "quantize-weights")
    ? ""
    : ` pare quantize ${file} --mode weights stores them as int8 as well.`;
  return `${share}, stayed float32: ${each}${more}.${hint}`;
}
