import { visibleLine } from "@pare/runtime/format";
import { edit, type Graph, Tensor } from "../ir/index.js";

/**
 * tf2onnx warns of TensorFlow's operators that it does not know, and writes them all the same, in ai.onnx, where no opset has them
 * and no engine takes the file. Erfc is one, of which Keras makes GELU: 1 + erf(−x).
 */
export function sayLeftByConverters(graph: Graph): void {
  const left = [...graph.allNodes()].filter(({ op, domain }) => op === "Erfc" && domain === "");
  if (left.length === 0) return;
  edit(graph, "left-by-converters", (editor) => {
    for (const node of left) {
      const [[x], [y]] = [node.inputs, node.outputs];
      if (x === undefined || x === null || y === undefined || y === null) continue;
      const body = graph.body(node.body);
      // Of what type x is may be known only when all nodes are.
      const one = editor.constant("one", Tensor.float32([], [1]), body);
      const like = editor.add1("CastLike", [one, x], {}, { body });
      const other = editor.add1("Neg", [x], {}, { body });
      const rest = editor.add1(
        "Add",
        [like, editor.add1("Erf", [other], {}, { body })],
        {},
        { body },
      );
      editor.replace(y, rest, "no opset has Erfc: it is 1 + Erf of what is negative");
    }
  });
}

/**
 * Keras layers hold constants of their own: means of a Normalization, positions of an embedding. tf2onnx writes those that Keras
 * captured as inputs, under the names that TensorFlow gives operands, and their values are in no file.
 * @returns a sentence for each such input
 */
export function lostConstants(graph: Graph): readonly string[] {
  if (graph.header.producerName !== "tf2onnx") return [];
  return graph.main.inputs.flatMap((id) => {
    const { name } = graph.value(id);
    return /\/[^/]+\/[xy]:0$/.test(name)
      ? [
          visibleLine(
            `${name} was a constant in Keras, which tf2onnx made an input of without its value: what the model gives is right for that alone.`,
          ),
        ]
      : [];
  });
}
