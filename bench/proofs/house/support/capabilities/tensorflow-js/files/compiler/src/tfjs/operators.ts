import {
  attribute,
  type Editor,
  type Tensor,
  type ValueId,
  Tensor as Tensors,
} from "../ir/index.js";
import type { AttributeValue } from "./graph-model.js";

/** A node whose inputs are in the graph. */
export interface Converting {
  readonly editor: Editor;
  readonly inputs: readonly ValueId[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The weight that an input is, to be laid out anew. */
  weight(input: number): Tensor;
}

/** Channels come last in TensorFlow.js and second in ONNX. */
function channelsSecond(editor: Editor, value: ValueId): ValueId {
  return editor.add1("Transpose", [value], { perm: attribute.ints([0, 3, 1, 2]) });
}
function channelsLast(editor: Editor, value: ValueId): ValueId {
  return editor.add1("Transpose", [value], { perm: attribute.ints([0, 2, 3, 1]) });
}

const listOf = (value: AttributeValue | undefined): readonly number[] =>
  (value?.list?.i ?? []).map(Number);

/** Texts are base64 of bytes. */
function paddingOf({ attributes }: Converting): ReturnType<typeof attribute.string> {
  const same = atob(attributes["padding"]?.s ?? "") === "SAME";
  return attribute.string(same ? "SAME_UPPER" : "VALID");
}

/** [height, width, inputs, outputs] as [outputs, inputs, height, width]. */
function kernelFirst(tensor: Tensor): Tensor {
  const [height = 1, width = 1, inputs = 1, outputs = 1] = tensor.dims;
  const from = tensor.data as Float32Array;
  const to = new Float32Array(from.length);
  const area = height * width;
  for (let place = 0; place < area; place += 1)
    for (let input = 0; input < inputs; input += 1)
      for (let output = 0; output < outputs; output += 1)
        to[(output * inputs + input) * area + place] = from[
          (place * inputs + input) * outputs + output
        ] as number;
  return Tensors.float32([outputs, inputs, height, width], to);
}

function first({ inputs }: Converting): ValueId {
  const [value] = inputs;
  if (value === undefined) throw new RangeError("A node has no input.");
  return value;
}

const plain =
  (op: string) =>
  ({ editor, inputs }: Converting): ValueId =>
    editor.add1(op, inputs);

/** Each operator in ONNX's. */
export const operators: Readonly<Record<string, (converting: Converting) => ValueId>> = {
  Identity: first,
  Relu: plain("Relu"),
  Reshape: plain("Reshape"),
  BiasAdd: plain("Add"),
  AddV2: plain("Add"),
  Softmax: plain("Softmax"),
  MatMul: plain("MatMul"),
  Conv2D(converting) {
    const { editor, attributes } = converting;
    const kernel = editor.constant("kernel", kernelFirst(converting.weight(1)));
    const [, height = 1, width = 1] = listOf(attributes["strides"]);
    const made = editor.add1("Conv", [channelsSecond(editor, first(converting)), kernel], {
      strides: attribute.ints([height, width]),
      auto_pad: paddingOf(converting),
    });
    return channelsLast(editor, made);
  },
  MaxPool(converting) {
    const { editor, attributes } = converting;
    const [, height = 1, width = 1] = listOf(attributes["ksize"]);
    const [, down = 1, right = 1] = listOf(attributes["strides"]);
    const made = editor.add1("MaxPool", [channelsSecond(editor, first(converting))], {
      kernel_shape: attribute.ints([height, width]),
      strides: attribute.ints([down, right]),
      auto_pad: paddingOf(converting),
    });
    return channelsLast(editor, made);
  },
};
