import { attribute, type Dim, type Graph, type Node } from "../ir/index.js";
import { absorbable, attributesOf, inputOf, madeBy, outputOf, shapeOf } from "./pattern.js";
import { permOf } from "./reshapes.js";
import type { Rule } from "./rule.js";

/** A·B + C = Gemm(A, B, C) for matrices, C broadcast to the result. */
const matmulAddToGemm: Rule = {
  name: "matmul-add-to-gemm",
  exactness: "rounding",
  ops: ["Add"],
  match(graph, node) {
    for (const at of [0, 1]) {
      const product = absorbable(graph, inputOf(node, at), "MatMul");
      const bias = inputOf(node, 1 - at);
      const output = outputOf(node);
      if (product === undefined || bias === undefined || output === undefined) continue;
      const [a, b] = [inputOf(product, 0), inputOf(product, 1)];
      const result = shapeOf(graph, outputOf(product));
      if (
        shapeOf(graph, a)?.length !== 2 ||
        shapeOf(graph, b)?.length !== 2 ||
        result === undefined
      )
        continue;
      if (!isFloat(graph, node) || !broadcastsTo(shapeOf(graph, bias), result)) continue;
      const because = "MatMul and Add are one Gemm";
      return {
        because,
        rewrite(editor) {
          const [gemm] = editor.add(
            "Gemm",
            [a ?? null, b ?? null, bias],
            {},
            { body: graph.body(node.body), name: product.name },
          );
          if (gemm !== undefined) editor.replace(output, gemm, because);
        },
      };
    }
    return undefined;
  },
};

/** Gemm(Aᵀ, B) = Gemm(A, B, transA = 1), and so for B. */
const transposeIntoGemm: Rule = {
  name: "transpose-into-gemm",
  exactness: "bitwise",
  ops: ["Gemm"],
  match(graph, node) {
    for (const [index, flag] of ["transA", "transB"].entries()) {
      const transpose = madeBy(graph, inputOf(node, index), "Transpose");
      const source = transpose === undefined ? undefined : inputOf(transpose, 0);
      if (transpose === undefined || source === undefined || shapeOf(graph, source)?.length !== 2)
        continue;
      if (permOf(graph, transpose)?.join() !== "1,0") continue;
      const flipped = 1 - attributesOf(node).int(flag, 0);
      return {
        because: `its ${flag} takes the place of a Transpose`,
        rewrite(editor) {
          editor.setAttribute(node.id, flag, flipped === 0 ? undefined : attribute.int(flipped));
          editor.setInput(node.id, index, source);
        },
      };
    }
    return undefined;
  },
};

function isFloat(graph: Graph, node: Node): boolean {
  const output = outputOf(node);
  if (output === undefined) return false;
  const { type } = graph.value(output);
  return (
    type.kind === "tensor" &&
    (type.dtype === "float32" || type.dtype === "float64" || type.dtype === "float16")
  );
}

/** Does a shape broadcast to another without changing it? */
export function broadcastsTo(from: readonly Dim[] | undefined, to: readonly Dim[]): boolean {
  if (from === undefined || from.length > to.length) return false;
  return from.every((size, axis) => size === 1 || size === to[axis + to.length - from.length]);
}

export const gemms: readonly Rule[] = [matmulAddToGemm, transposeIntoGemm];
