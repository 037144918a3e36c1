import { attributeReader } from "../ops/index.js";
import { edit, type Graph, type Node, Tensor } from "../ir/index.js";

/** Every Constant node, in whatever of its forms, becomes an initializer of the body it stands in. */
export function constantsToInitializers(graph: Graph): void {
  const nodes = [...graph.allNodes()].filter(
    (node) => node.op === "Constant" && node.domain === "",
  );
  if (nodes.length === 0) return;
  edit(graph, "constants-to-initializers", (editor) => {
    for (const node of nodes) {
      const [output] = node.outputs;
      const tensor = tensorOf(node);
      if (output === undefined || output === null || tensor === undefined) continue;
      editor.replace(
        output,
        editor.constant(graph.value(output).name, tensor, graph.body(node.body)),
        "a constant",
      );
    }
  });
}

/** Undefined for a sparse tensor, which has no dense form here. */
function tensorOf(node: Node): Tensor | undefined {
  const read = attributeReader(node.attributes);
  const value = read.get("value");
  if (value?.type === "tensor") return value.value;
  const float = read.float("value_float");
  if (float !== undefined) return Tensor.float32([], [float]);
  const floats = read.floats("value_floats");
  if (floats !== undefined) return Tensor.float32([floats.length], floats);
  const int = read.get("value_int");
  if (int?.type === "int") return Tensor.of("int64", [], BigInt64Array.of(int.value));
  const ints = read.get("value_ints");
  if (ints?.type === "ints")
    return Tensor.of("int64", [ints.value.length], BigInt64Array.from(ints.value));
  const text = read.get("value_string");
  if (text?.type === "string" && typeof text.value === "string")
    return Tensor.of("string", [], [text.value]);
  const texts = read.get("value_strings");
  if (texts?.type !== "strings") return undefined;
  const strings = texts.value.filter((item) => typeof item === "string");
  return strings.length === texts.value.length
    ? Tensor.of("string", [strings.length], strings)
    : undefined;
}
