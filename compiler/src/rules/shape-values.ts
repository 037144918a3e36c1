import { type Graph, isStatic, type Node, Tensor, type ValueId, shapeOf } from "../ir/index.js";
import { isItself } from "../ops/index.js";
import { attributesOf, dtypeOf, inputOf, outputOf, staticCount } from "./pattern.js";
import { isTarget, reshaped } from "./reshapes.js";
import { replacing, type Rewrite, type Rule } from "./rule.js";

/** Integers that follow from shapes (Shape, Gather, Concat of dims) and are all numbers → a constant. */
export const foldShapeValues: Rule = {
  name: "fold-shape-values",
  exactness: "bitwise",
  ops: "any",
  match(graph, node) {
    const output = outputOf(node);
    if (output === undefined || node.outputs.length !== 1 || node.op === "Identity")
      return undefined;
    const tensor = tensorOfElements(graph, output);
    if (tensor === undefined) return undefined;
    return replacing(output, "follows from known shapes", (editor) =>
      editor.constant(graph.value(output).name, tensor, graph.body(node.body)),
    );
  },
};

function tensorOfElements(graph: Graph, id: ValueId): Tensor | undefined {
  const { elements } = graph.value(id);
  const shape = shapeOf(graph, id);
  const dtype = dtypeOf(graph, id);
  if (elements === undefined || shape === undefined || !isStatic(shape) || !isStatic(elements))
    return undefined;
  if (staticCount(shape) !== elements.length || !elements.every(isItself)) return undefined;
  if (dtype === "int64") return Tensor.of("int64", shape, BigInt64Array.from(elements, BigInt));
  if (dtype === "int32") return Tensor.of("int32", shape, Int32Array.from(elements));
  return undefined;
}

/**
 * Reshape(x, [a, b, c]) with dims that follow from shapes → a constant target: numbers, 0 where a dim is x's own at
 * that place, and −1 for at most one of the rest. What cannot be said of a target may be of the result: its −1 is some size,
 * and Unsqueeze puts in axes of size 1.
 */
export const constantReshapeTarget: Rule = {
  name: "constant-reshape-target",
  exactness: "bitwise",
  ops: ["Reshape"],
  match(graph, node) {
    const [x, target] = [inputOf(node, 0), inputOf(node, 1)];
    if (x === undefined || target === undefined || graph.constant(target) !== undefined)
      return undefined;
    const dims = targetOf(graph, node, x, target);
    if (dims === undefined) return saidOtherwise(graph, node, x, target);
    return {
      because: `its target is always [${dims.join(", ")}]`,
      rewrite(editor) {
        editor.setInput(
          node.id,
          1,
          editor.constant(
            `${graph.value(target).name}_constant`,
            Tensor.int64(dims),
            graph.body(node.body),
          ),
        );
        editor.setAttribute(node.id, "allowzero", undefined);
      },
    };
  },
};

/** By the shape of its result, where that follows and is not only what a file says. */
function saidOtherwise(
  graph: Graph,
  node: Node,
  source: ValueId,
  target: ValueId,
): Rewrite | undefined {
  if (graph.value(target).elements === undefined) return undefined;
  const output = outputOf(node);
  const [from, to] = [shapeOf(graph, source), shapeOf(graph, output)];
  if (output === undefined || from === undefined || to === undefined) return undefined;
  return reshaped(graph, node, { source, from, to, output }, "its target follows from shapes");
}

function targetOf(
  graph: Graph,
  node: Node,
  x: ValueId,
  target: ValueId,
): readonly number[] | undefined {
  const wanted = graph.value(target).elements;
  const from = shapeOf(graph, x);
  const copiesZeros = attributesOf(node).int("allowzero", 0) === 0;
  if (wanted === undefined || (wanted.includes(0) && !copiesZeros)) return undefined;
  const dims = wanted.map((size, axis) => {
    if (typeof size === "number") return size;
    return from?.[axis] === size ? 0 : -1;
  });
  const saysSame = dims.every((size, axis) => size !== -1 || wanted[axis] === -1);
  return saysSame || isTarget(dims, from) ? dims : undefined;
}
