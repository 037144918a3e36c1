import type { Graph, NodeId } from "../../ir/index.js";
import { sayNodes, type Words } from "../opset/say.js";
import { byteWords, readsBytes } from "./bytes-as-numbers.js";
import { blockWords } from "./blocks.js";
import { dynamicWords } from "./dynamic.js";
import { elementWords } from "./elements.js";
import { productWords } from "./products.js";
import { windowWords } from "./windows.js";

/** How operators on integers are said: scaled to floats, computed, and rounded again; or summed as integers, and scaled then. */
const words: Words = new Map(
  Object.entries({
    ...blockWords,
    ...dynamicWords,
    ...elementWords,
    ...productWords,
    ...windowWords,
  }),
);

/** Their keys. */
export const quantizedOperators: readonly string[] = [...words.keys()].sort();

/**
 * Says what onnxruntime's quantizer writes as operators on integers (QOperator) as it writes the same between
 * DequantizeLinear and QuantizeLinear (QDQ). The graph is in its normal form.
 * @returns of each node that stays: why
 */
export function sayQuantized(graph: Graph): ReadonlyMap<NodeId, string> {
  const left = sayNodes(graph, "say-quantized", words);
  sayNodes(graph, "say-quantized", new Map(Object.entries(byteWords)), readsBytes);
  return left;
}
