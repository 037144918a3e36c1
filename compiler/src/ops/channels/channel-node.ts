import type { Dim, Graph, Node, ValueId } from "../../ir/index.js";
import { attributeReader } from "../schema/attributes.js";
import type { ChannelNode, Port } from "./coupling.js";

/** The value at a port of a node; undefined where it is left out. */
export function valueAt(node: Node, { side, index }: Port): ValueId | undefined {
  return (side === "input" ? node.inputs[index] : node.outputs[index]) ?? undefined;
}

/** A node of a graph as `Channels` see it. */
export function channelNode(graph: Graph, node: Node): ChannelNode {
  const constant = (index: number) => graph.constant(node.inputs[index]);
  return {
    inputs: node.inputs.length,
    outputs: node.outputs.length,
    shape(port): readonly Dim[] | undefined {
      const id = valueAt(node, port);
      const type = id === undefined ? undefined : graph.value(id).type;
      return type?.kind === "tensor" ? type.shape : undefined;
    },
    integers(index) {
      const tensor = constant(index);
      return tensor?.dtype === "int64" || tensor?.dtype === "int32" ? tensor.numbers() : undefined;
    },
    numbers: (index) => constant(index)?.numbers(),
    isConstant: (index) => constant(index) !== undefined,
    attributes: attributeReader(node.attributes),
  };
}
