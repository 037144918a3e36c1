import { type Graph, type Node, type Tensor, shapeOf } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { absorbable, attributesOf, inputOf, numbersOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

/**
 * Squeeze(Gather(x, i)) = Gather(x, Squeeze(i)) and Unsqueeze(Gather(x, i)) = Gather(x, Unsqueeze(i)), for a constant i
 * and axes that are its own: its dims stand in the result where x had the axis that is gathered from.
 */
export const reshapeIndices: Rule = {
  name: "reshape-indices",
  exactness: "bitwise",
  ops: ["Squeeze", "Unsqueeze"],
  match(graph, node) {
    const gather = absorbable(graph, inputOf(node, 0), "Gather");
    const output = outputOf(node);
    const [data, indices] = gather === undefined ? [] : [inputOf(gather, 0), inputOf(gather, 1)];
    const given = graph.constant(indices);
    if (gather === undefined || output === undefined || indices === undefined || !given)
      return undefined;
    const dims = reshaped(graph, node, gather, given);
    if (data === undefined || dims === undefined) return undefined;
    return replacing(output, `its indices take the place of ${node.op}`, (editor) => {
      const body = graph.body(node.body);
      const own = editor.constant(graph.value(indices).name, given.reshaped(dims), body);
      const { axis } = Object.fromEntries(gather.attributes);
      const attributes = axis === undefined ? {} : { axis };
      return editor.add1("Gather", [data, own], attributes, { body, name: gather.name });
    });
  },
};

/** The indices' dims once an axis of theirs is dropped or put in; undefined where the axis is not theirs. */
function reshaped(
  graph: Graph,
  node: Node,
  gather: Node,
  { dims }: Tensor,
): readonly number[] | undefined {
  const rank = shapeOf(graph, inputOf(gather, 0))?.length;
  const axes = numbersOf(graph, inputOf(node, 1));
  if (rank === undefined || axes === undefined) return undefined;
  const first = normalAxis(attributesOf(gather).int("axis", 0), rank);
  const grows = node.op === "Unsqueeze" ? axes.length : 0;
  const resultRank = rank - 1 + dims.length + grows;
  // Counted from the first of the indices' own.
  const places = new Set(axes.map((axis) => normalAxis(axis, resultRank) - first));
  const total = dims.length + grows;
  if ([...places].some((at) => at < 0 || at >= total) || places.size !== axes.length)
    return undefined;
  if (node.op === "Squeeze") {
    return [...places].every((at) => dims[at] === 1)
      ? dims.filter((_, at) => !places.has(at))
      : undefined;
  }
  const rest = [...dims];
  return Array.from({ length: total }, (_, at) => (places.has(at) ? 1 : (rest.shift() ?? 1)));
}
