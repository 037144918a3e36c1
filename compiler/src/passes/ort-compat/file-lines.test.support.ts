import { bytesOf } from "@pare/runtime/format";
import { type Attribute, bodiesOf, type Graph, type Node, type Tensor } from "../../ir/index.js";

/**
 * All that a file says, whatever the order in which it says it: a line for each weight, node, body and opset. An input with
 * a default is a weight.
 */
export async function fileLines(graph: Graph): Promise<readonly string[]> {
  const lines = [...graph.header.opsets].map(([domain, version]) => `opset ${domain} ${version}`);
  const name = (id: Node["inputs"][number]): string => (id === null ? "" : graph.value(id).name);
  for (const { constant, name: of } of graph.allValues())
    if (constant !== undefined) lines.push(`weight ${of} ${await tensorText(constant)}`);
  for (const body of graph.allBodies()) {
    const inputs = body.inputs.filter((id) => graph.value(id).constant === undefined);
    lines.push(`body ${inputs.map(name).join()} -> ${body.outputs.map(name).join()}`);
    for (const id of body.nodes) {
      const node = graph.node(id);
      const attributes: string[] = [];
      for (const [key, attribute] of node.attributes)
        attributes.push(`${key}=${await attributeText(attribute)}`);
      lines.push(
        `node ${node.domain} ${node.op} ${node.name} (${node.inputs.map(name).join()}) -> ${node.outputs.map(name).join()} {${attributes.sort().join("; ")}} ${bodiesOf(node).length}`,
      );
    }
  }
  return lines.sort();
}

async function tensorText(tensor: Tensor): Promise<string> {
  const data = await tensor.read();
  const shown = ArrayBuffer.isView(data) ? Buffer.from(bytesOf(data)).toString("hex") : data.join();
  return `${tensor.dtype}[${tensor.dims.join()}] ${shown}`;
}

async function attributeText(attribute: Attribute): Promise<string> {
  switch (attribute.type) {
    case "tensor":
      return tensorText(attribute.value);
    case "graph":
      return "body";
    default:
      return JSON.stringify(attribute.value, (_, value: unknown) =>
        typeof value === "bigint" ? String(value) : value,
      );
  }
}
