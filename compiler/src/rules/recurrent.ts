import { Tensor, shapeOf } from "../ir/index.js";
import { attributesOf, inputOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";
import { fillingOf, isZeros } from "./fillings.js";

const cells = ["LSTM", "GRU", "RNN"];

/** LSTM, GRU, RNN of sequences that are all as long as the input are those of no lengths. */
export const dropLengths: Rule = {
  name: "drop-lengths",
  exactness: "bitwise",
  ops: cells,
  match(graph, node) {
    const steps = shapeOf(graph, inputOf(node, 0))?.[attributesOf(node).int("layout", 0)];
    if (steps === undefined || fillingOf(graph, inputOf(node, 4)) !== steps) return undefined;
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

/** ReverseSequence of sequences that are all as long as the input is a Slice, backwards. */
export const reverseWhole: Rule = {
  name: "reverse-whole",
  exactness: "bitwise",
  ops: ["ReverseSequence"],
  match(graph, node) {
    const [x, lengths, y] = [inputOf(node, 0), inputOf(node, 1), outputOf(node)];
    const axis = attributesOf(node).int("time_axis", 0);
    const steps = shapeOf(graph, x)?.[axis];
    if (x === undefined || y === undefined || steps === undefined) return undefined;
    if (fillingOf(graph, lengths) !== steps) return undefined;
    return replacing(y, "its sequences are all as long as its input", (editor) => {
      const body = graph.body(node.body);
      const [start, end, axes, step] = [-1, -(2 ** 31), axis, -1].map((number) =>
        editor.constant("reversed", Tensor.int64([number]), body),
      );
      const operands = [x, start, end, axes, step].flatMap((id) => id ?? []);
      return editor.add1("Slice", operands, {}, { body });
    });
  },
};
