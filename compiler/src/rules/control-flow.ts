import type { Rule } from "./rule.js";
import { inputOf, numbersOf } from "./pattern.js";

/** If(true, a, b) = a, its nodes moved out to where the If stood. */
export const inlineIf: Rule = {
  name: "inline-if",
  exactness: "bitwise",
  ops: ["If"],
  match(graph, node) {
    const condition = numbersOf(graph, inputOf(node, 0))?.[0];
    if (condition === undefined) return undefined;
    const taken = condition !== 0 ? "then_branch" : "else_branch";
    const branch = node.attributes.get(taken);
    if (branch?.type !== "graph") return undefined;
    // A branch has no inputs, and a result for each of the node's: a file may say otherwise.
    const { inputs, outputs } = branch.value;
    if (inputs.length > 0 || outputs.length !== node.outputs.length) return undefined;
    const because = `its condition is always ${condition !== 0}`;
    return {
      because,
      rewrite(editor) {
        const results = editor.inline(branch.value, graph.body(node.body));
        node.outputs.forEach((output, index) => {
          const result = results[index];
          if (output !== null && result !== undefined) editor.replace(output, result, because);
        });
      },
    };
  },
};
