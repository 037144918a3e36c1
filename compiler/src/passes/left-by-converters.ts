import { visibleLine } from "@pare/runtime/format";
import {
  attribute,
  type Body,
  edit,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { attributeReader } from "../ops/index.js";

/**
 * tf2onnx warns of operators that it does not know, and writes them all the same, in ai.onnx, where no opset has them and no engine
 * takes the file: TensorFlow's Erfc, of which Keras makes GELU, and TensorFlow Lite's GELU.
 */
export function sayLeftByConverters(graph: Graph): void {
  const left = [...graph.allNodes()].filter(({ op, domain }) => domain === "" && said.has(op));
  if (left.length === 0) return;
  edit(graph, "left-by-converters", (editor) => {
    for (const node of left) {
      const [[x], [y]] = [node.inputs, node.outputs];
      const say = said.get(node.op);
      if (say === undefined || x === undefined || x === null || y === undefined || y === null)
        continue;
      editor.replace(y, say.write(editor, node, x, graph.body(node.body)), say.because);
    }
  });
}

interface Said {
  readonly because: string;
  write(editor: Editor, node: Node, x: ValueId, body: Body): ValueId;
}

const said: ReadonlyMap<string, Said> = new Map<string, Said>([
  [
    "Erfc",
    {
      because: "no opset has Erfc: it is 1 + Erf of what is negative",
      write(editor, _, x, body) {
        // Of what type x is may be known only when all nodes are.
        const one = editor.constant("one", Tensor.float32([], [1]), body);
        const like = editor.add1("CastLike", [one, x], {}, { body });
        const other = editor.add1("Neg", [x], {}, { body });
        return editor.add1("Add", [like, editor.add1("Erf", [other], {}, { body })], {}, { body });
      },
    },
  ],
  [
    "TFL_GELU",
    {
      because: "no opset has TFL_GELU: it is Gelu",
      write(editor, { attributes }, x, body) {
        const isTanh = attributeReader(attributes).int("approximate", 0) !== 0;
        const approximate = attribute.string(isTanh ? "tanh" : "none");
        return editor.add1("Gelu", [x], { approximate }, { body });
      },
    },
  ],
]);

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
