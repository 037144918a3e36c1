import { PareError } from "@pare/runtime/format";
import {
  attribute,
  type Editor,
  type Graph,
  type NodeId,
  Tensor,
  type ValueId,
  type ValueType,
} from "../../ir/index.js";
import { attributeReader, convert } from "../../ops/index.js";
import type { Step } from "./adapter.js";

/** @param types that are known better than the graph knows them at this moment */
export function stepOf(
  graph: Graph,
  editor: Editor,
  id: NodeId,
  from: number,
  to: number,
  types?: ReadonlyMap<ValueId, ValueType>,
): Step {
  const node = graph.node(id);
  const body = graph.body(node.body);
  const input: Step["input"] = (index) => node.inputs[index] ?? undefined;
  const typeOf = (index: number) => {
    const value = input(index);
    const type = value === undefined ? undefined : (types?.get(value) ?? graph.value(value).type);
    return type?.kind === "tensor" ? type : undefined;
  };
  return {
    graph,
    editor,
    node,
    attributes: attributeReader(node.attributes),
    input,
    rank: (index) => typeOf(index)?.shape?.length,
    int64: (name, values, dims = [values.length]) =>
      editor.constant(name, Tensor.int64(values, dims), body),
    float(name, values, dims = [values.length]) {
      const dense = convert(
        { type: "float32", dims, data: Float32Array.from(values) },
        typeOf(0)?.dtype ?? "float32",
      );
      return editor.constant(name, Tensor.of(dense.type, dims, dense.data), body);
    },
    float32: (name, values, dims = [values.length]) =>
      editor.constant(name, Tensor.float32(dims, values), body),
    shape: (index) => typeOf(index)?.shape,
    dtype: (index) => typeOf(index)?.dtype,
    add: (op, inputs, attributes = {}) => editor.add1(op, inputs, attributes, { body }),
    split(x, sizes, axis) {
      const inputs = [x, editor.constant("sizes", Tensor.int64(sizes), body)];
      const options = { outputs: sizes.length, body };
      return editor.add("Split", inputs, { axis: attribute.int(axis) }, options);
    },
    replaceBy(...values) {
      for (const [index, output] of node.outputs.entries()) {
        const value = values[index] ?? null;
        if (output !== null && value !== null) editor.replace(output, value, `said in opset ${to}`);
      }
    },
    drop(...names) {
      for (const name of names)
        if (node.attributes.has(name)) editor.setAttribute(id, name, undefined);
    },
    refuse(why) {
      throw new PareError(
        "UNSUPPORTED_OP",
        `${node.op} of opset ${from} cannot be said in opset ${to}: ${why}.`,
        {
          where: graph.nodeLabel(node),
          hint:
            to < from
              ? `Ask for opset ${from} or later.`
              : "Export the model again with a newer opset.",
        },
      );
    },
  };
}
