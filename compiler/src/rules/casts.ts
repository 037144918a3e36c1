import { attribute, codeOfDtype } from "../ir/index.js";
import { dtypeOf, inputOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

/** CastLike(x, y) → Cast of x to what y is, which is known: what made y has one reader less. */
export const sayCastLike: Rule = {
  name: "say-cast-like",
  exactness: "bitwise",
  ops: ["CastLike"],
  match(graph, node) {
    const [x, output] = [inputOf(node, 0), outputOf(node)];
    const dtype = dtypeOf(graph, inputOf(node, 1));
    if (x === undefined || output === undefined || dtype === undefined) return undefined;
    return replacing(output, `it casts to ${dtype}`, (editor) => {
      const attributes = { ...Object.fromEntries(node.attributes), to: attribute.int(codeOfDtype(dtype)) }; // prettier-ignore
      return editor.add1("Cast", [x], attributes, { body: graph.body(node.body) });
    });
  },
};
