import { attribute, type Dim, type Graph, type Node, shapeOf, type Tensor } from "../ir/index.js";
import { absorbable, attributesOf, inputOf, madeBy, outputOf } from "./pattern.js";
import { permOf } from "./reshapes.js";
import type { Rule } from "./rule.js";

/**
 * A·B + c = Gemm(A, B, c) for matrices and a constant number for each column: another sum, such as a residual, is none that
 * kernels of integers take.
 */
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
      if (!isFloat(graph, node) || !isPerColumn(graph.constant(bias), result)) continue;
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

/**
 * Aᵀ·v = v·A and v·Aᵀ = A·v for a vector v, where the transpose swaps the last two axes. It spares the Transpose; and
 * onnxruntime, as of 1.30, fuses the first of the two into a product that is wrong.
 */
const transposeByVector: Rule = {
  name: "transpose-by-vector",
  exactness: "rounding",
  ops: ["MatMul"],
  match(graph, node) {
    for (const at of [0, 1]) {
      const transpose = madeBy(graph, inputOf(node, at), "Transpose");
      const [matrices, vector] = [transpose && inputOf(transpose, 0), inputOf(node, 1 - at)];
      if (transpose === undefined || matrices === undefined || vector === undefined) continue;
      if (shapeOf(graph, vector)?.length !== 1) continue;
      const perm = permOf(graph, transpose);
      if (perm === undefined || !swapsLastTwo(perm)) continue;
      return {
        because: "a product with a vector from the other side takes the place of a Transpose",
        rewrite(editor) {
          editor.setInput(node.id, at, vector);
          editor.setInput(node.id, 1 - at, matrices);
        },
      };
    }
    return undefined;
  },
};

function swapsLastTwo(perm: readonly number[]): boolean {
  const rank = perm.length;
  const swapped = [...perm.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return rank >= 2 && perm.join() === swapped.join();
}

function isFloat(graph: Graph, node: Node): boolean {
  const output = outputOf(node);
  if (output === undefined) return false;
  const { type } = graph.value(output);
  return (
    type.kind === "tensor" &&
    (type.dtype === "float32" || type.dtype === "float64" || type.dtype === "float16")
  );
}

function isPerColumn(tensor: Tensor | undefined, result: readonly Dim[]): boolean {
  const columns = result.at(-1);
  return tensor !== undefined && tensor.count === columns && tensor.dims.at(-1) === columns;
}

export const gemms: readonly Rule[] = [matmulAddToGemm, transposeIntoGemm, transposeByVector];
