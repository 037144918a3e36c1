import { inputOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

/**
 * Identity(w) = w, as a constant of its own under the name that the copy has. PyTorch's exporter by tracing writes parameters that
 * are equal once and the others so; one that layers share is an initializer that several nodes read.
 */
export const ownCopies: Rule = {
  name: "own-copies",
  exactness: "bitwise",
  ops: ["Identity"],
  match(graph, node) {
    const [tensor, copy] = [graph.constant(inputOf(node, 0)), outputOf(node)];
    // What a body gives must be made by a node.
    if (tensor === undefined || copy === undefined || graph.isOutput(copy)) return undefined;
    const { name } = graph.value(copy);
    return replacing(copy, "a constant of its own", (editor) =>
      editor.constant(name, tensor, graph.body(node.body)),
    );
  },
};
