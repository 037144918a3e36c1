import { edit, type Graph } from "../ir/index.js";
import { constantOf } from "../ops/families/creation.js";
import { attributeReader } from "../ops/index.js";

/** Every Constant node, in whatever of its forms, becomes an initializer of the body it stands in. */
export function constantsToInitializers(graph: Graph): void {
  const nodes = [...graph.allNodes()].filter(
    (node) => node.op === "Constant" && node.domain === "",
  );
  if (nodes.length === 0) return;
  edit(graph, "constants-to-initializers", (editor) => {
    for (const node of nodes) {
      const [output] = node.outputs;
      const tensor = constantOf(attributeReader(node.attributes));
      if (output === undefined || output === null || tensor === undefined) continue;
      editor.replace(
        output,
        editor.constant(graph.value(output).name, tensor, graph.body(node.body)),
        "a constant",
      );
    }
  });
}
