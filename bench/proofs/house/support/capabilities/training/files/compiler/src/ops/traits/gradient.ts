import {
  type Attribute,
  attribute,
  type Editor,
  type Node,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { attributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

export interface Backward {
  readonly editor: Editor;
  readonly node: Node;
  /** Of the loss by the node's first output. */
  readonly gradient: ValueId;
}

/** The gradients of a node's inputs by that of its output, written in other operators; null where an input has none. */
export type Gradient = (backward: Backward) => readonly (ValueId | null)[];

function inputOf({ inputs }: Node, index: number): ValueId {
  const value = inputs[index];
  if (value === null || value === undefined) throw new RangeError(`There is no input ${index}.`);
  return value;
}

function on(name: string): Readonly<Record<string, Attribute>> {
  return { [name]: attribute.int(1) };
}

export const gradient: Cells<Gradient> = {
  // dx = dy where y > 0
  Relu({ editor, node, gradient: dy }) {
    const zero = editor.constant("zero", Tensor.float32([], [0]));
    const [y = null] = node.outputs;
    return [editor.add1("Where", [editor.add1("Greater", [y, zero]), dy, zero])];
  },
  Flatten({ editor, node, gradient: dy }) {
    const x = inputOf(node, 0);
    return [editor.add1("Reshape", [dy, editor.add1("Shape", [x])])];
  },
  // y = a b + c: da = dy bᵀ, db = aᵀ dy, dc = Σ dy over rows
  Gemm({ editor, node, gradient: dy }) {
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const transposed = attributeReader(node.attributes).int("transB", 0) === 1;
    const da = editor.add1("Gemm", [dy, b], transposed ? {} : on("transB"));
    const db = editor.add1("Gemm", transposed ? [dy, a] : [a, dy], on("transA"));
    const rows = editor.constant("rows", Tensor.int64([0]));
    const keepdims = { keepdims: attribute.int(0) };
    const dc =
      (node.inputs[2] ?? null) === null ? null : editor.add1("ReduceSum", [dy, rows], keepdims);
    return [da, db, dc];
  },
};
