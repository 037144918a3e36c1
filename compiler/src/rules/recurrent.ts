import { attributesOf, inputOf, isFilledWith, shapeOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/** LSTM, GRU, RNN of sequences that are all as long as the input are those of no lengths. */
export const dropLengths: Rule = {
  name: "drop-lengths",
  exactness: "bitwise",
  ops: ["LSTM", "GRU", "RNN"],
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
