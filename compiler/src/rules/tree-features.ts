import { attribute, shapeOf } from "../ir/index.js";
import { attributesOf, inputOf, madeBy, numbersOf } from "./pattern.js";
import type { Rule } from "./rule.js";
import { treeDomain } from "./tree-sums.js";

/** Trees over features that were taken out of a sample ask for those features themselves. */
export const takeFeatures: Rule = {
  name: "take-features",
  exactness: "bitwise",
  ops: "any",
  match(graph, node) {
    if (node.domain !== treeDomain || !/^TreeEnsemble(Regressor|Classifier)$/.test(node.op))
      return undefined;
    const gather = madeBy(graph, inputOf(node, 0), "Gather");
    const [data, indices] = gather === undefined ? [] : [inputOf(gather, 0), inputOf(gather, 1)];
    const count = shapeOf(graph, data)?.[1];
    const places = numbersOf(graph, indices)?.map((place) =>
      place < 0 && typeof count === "number" ? place + count : place,
    );
    const asked = attributesOf(node).ints("nodes_featureids");
    if (gather === undefined || data === undefined || places === undefined || asked === undefined)
      return undefined;
    const isOfColumns =
      shapeOf(graph, data)?.length === 2 &&
      [1, -1].includes(attributesOf(gather).int("axis", 0)) &&
      graph.constant(indices)?.dims.length === 1;
    const features = asked.flatMap((feature) => places[feature] ?? []);
    if (!isOfColumns || features.length < asked.length || features.some((place) => place < 0))
      return undefined;
    return {
      because: "its trees ask for the features that were taken out",
      rewrite(editor) {
        editor.setAttribute(node.id, "nodes_featureids", attribute.ints(features));
        editor.setInput(node.id, 0, data);
      },
    };
  },
};
