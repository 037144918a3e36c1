import { attribute, type Graph, type Node, shapeOf, type ValueId } from "../ir/index.js";
import { attributesOf, inputOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/**
 * Resize(x, sizes = Concat(dims of x, h, w)) = Resize(x, sizes = [h, w]; axes = [2, 3]): as exporters write what is brought to the
 * size of something else. The other axes are then seen to stay as they are, and nothing need read x's shape.
 */
export const resizeFewerAxes: Rule = {
  name: "resize-fewer-axes",
  exactness: "bitwise",
  ops: ["Resize"],
  match(graph, node) {
    const [x, sizes] = [inputOf(node, 0), inputOf(node, 3)];
    const attributes = attributesOf(node);
    const isCrop =
      attributes.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";
    const isStretch = attributes.string("keep_aspect_ratio_policy", "stretch") === "stretch";
    if (sizes === undefined || graph.constant(sizes) !== undefined || isCrop || !isStretch)
      return undefined;
    if (attributes.ints("axes") !== undefined) return undefined;
    const rest = partsBehind(graph, shapeOf(graph, x), sizes);
    if (rest === undefined) return undefined;
    const { parts, axes } = rest;
    return {
      because: `it changes axes ${axes.join(", ")} alone`,
      rewrite(editor) {
        const body = graph.body(node.body);
        const [only, ...others] = parts;
        const left =
          only !== undefined && others.length === 0
            ? only
            : editor.add1("Concat", parts, { axis: attribute.int(0) }, { body });
        editor.setInput(node.id, 3, left);
        editor.setAttribute(node.id, "axes", attribute.ints(axes));
      },
    };
  },
};

/** What is joined to sizes behind those that are the input's own; undefined where there are none of these, or none are left. */
function partsBehind(
  graph: Graph,
  shape: ReturnType<typeof shapeOf>,
  sizes: ValueId,
): { readonly parts: readonly ValueId[]; readonly axes: readonly number[] } | undefined {
  const joined = graph.producer(sizes);
  if (joined?.op !== "Concat" || joined.domain !== "" || shape === undefined) return undefined;
  const parts: ValueId[] = [];
  const axes: number[] = [];
  let at = 0;
  for (const part of inputsOf(joined)) {
    const [count] = shapeOf(graph, part) ?? [];
    if (typeof count !== "number" || at + count > shape.length) return undefined;
    const elements = graph.value(part).elements ?? graph.constant(part)?.numbers();
    const own = Array.from({ length: count }, (_, index) => at + index);
    const isSame = own.every((axis, index) => {
      const size = shape[axis];
      return size !== undefined && elements?.[index] === size;
    });
    if (!isSame) {
      parts.push(part);
      axes.push(...own);
    }
    at += count;
  }
  const isLess = at === shape.length && axes.length > 0 && axes.length < at;
  return isLess ? { parts, axes } : undefined;
}

function inputsOf({ inputs }: Node): readonly ValueId[] {
  return inputs.filter((input) => input !== null);
}
