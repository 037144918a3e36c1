import { attributesOf, inputOf, isFilledWith, shapeOf } from "./pattern.js";
import type { Rule } from "./rule.js";
import { isZeros } from "./zeros.js";

const cells = ["LSTM", "GRU", "RNN"];

/** LSTM, GRU, RNN of sequences that are all as long as the input are those of no lengths. */
export const dropLengths: Rule = {
  name: "drop-lengths",
  exactness: "bitwise",
  ops: cells,
  match(graph, node) {
    const steps = shapeOf(graph, inputOf(node, 0))?.[attributesOf(node).int("layout", 0)];
    const lengths = graph.constant(inputOf(node, 4));
    if (typeof steps !== "number" || !isFilledWith(lengths, steps)) return undefined;
    return {
      because: "its sequences are all as long as its input",
      rewrite: (editor) => editor.setInput(node.id, 4, null),
    };
  },
};

/**
 * LSTM, GRU, RNN that begin with zeros begin with nothing given: exporters make those of the batch's size, by half a dozen nodes.
 */
export const dropZeroStates: Rule = {
  name: "drop-zero-states",
  exactness: "bitwise",
  ops: cells,
  match(graph, node) {
    const states = [5, 6].filter((at) => isZeros(graph, inputOf(node, at)));
    if (states.length === 0) return undefined;
    return {
      because: "its state begins with zeros",
      rewrite: (editor) => states.forEach((at) => editor.setInput(node.id, at, null)),
    };
  },
};
