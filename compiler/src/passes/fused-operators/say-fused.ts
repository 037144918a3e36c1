import type { Graph, NodeId } from "../../ir/index.js";
import { sayNodes, type Words } from "../opset/say.js";
import { activationWords } from "./activations.js";
import { attentionWords } from "./attention.js";
import { embeddingWords } from "./embeddings.js";
import { normalizationWords } from "./normalizations.js";
import { productWords } from "./products.js";
import { rotationWords } from "./rotations.js";

const words: Words = new Map(
  Object.entries({
    ...activationWords,
    ...embeddingWords,
    ...normalizationWords,
    ...productWords,
  }),
);

const wordsOfAttention: Words = new Map(Object.entries({ ...attentionWords, ...rotationWords }));

/** Keys of what `sayFused` says. */
export const fusedOperators: ReadonlySet<string> = new Set(words.keys());

/** Keys of what `sayAttention` says. */
export const attentionOperators: ReadonlySet<string> = new Set(wordsOfAttention.keys());

/**
 * Says what onnxruntime fuses as it optimizes a model, which may then be saved so, in ONNX's own operators, which passes
 * know; and what ONNX itself defines by those. Of these an engine fuses the same again as it loads them. The graph is in opset 21, its types are known.
 * @returns of each node that stays: why
 */
export function sayFused(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-fused", words);
}

/** As `sayFused`: attention and its rotations, which some engines have kernels for, and none fuses again. */
export function sayAttention(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-attention", wordsOfAttention);
}
