import type { Dim } from "../../ir/index.js";
import { broadcastShapes } from "../families/broadcast.js";
import type { Every } from "../schema/cells.js";
import type { matrixSchemas } from "../schema/matrix.js";
import { einsumShape } from "./einsum.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** numpy's matmul: a vector is a row on the left, a column on the right, and its 1 is dropped again. */
export function productShape(
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
  if (batch === undefined) return undefined;
  return [...batch, ...a.slice(0, -1).slice(-1), ...(b.length > 1 ? b.slice(-1) : [])];
}

/** @param right where the right operand is among the inputs */
export function gemmShape(context: InferContext, right = 1): readonly Dim[] | undefined {
  const { attributes } = context;
  const rows = context.shape(0)?.[attributes.int("transA", 0) === 0 ? 0 : 1];
  const columns = context.shape(right)?.[attributes.int("transB", 0) === 0 ? 1 : 0];
  return rows === undefined || columns === undefined ? undefined : [rows, columns];
}

const product: ShapeRule = (context) =>
  tensorOf(context.dtype(0), productShape(context.shape(0), context.shape(1)));

const gemm: ShapeRule = (context) => tensorOf(context.dtype(0), gemmShape(context));

export const matrixShapes: Every<typeof matrixSchemas, ShapeRule> = {
  MatMul: product,
  MatMulInteger: (context) => tensorOf("int32", productShape(context.shape(0), context.shape(1))),
  QLinearMatMul: (context) =>
    tensorOf(context.dtype(7), productShape(context.shape(0), context.shape(3))),
  Gemm: gemm,
  "com.microsoft::DynamicQuantizeMatMul": product,
  "com.microsoft::MatMulNBits"(context) {
    const a = context.shape(0);
    const columns = context.attributes.int("N");
    return tensorOf(
      context.dtype(0),
      a === undefined || columns === undefined ? undefined : [...a.slice(0, -1), columns],
    );
  },
  Einsum(context) {
    const shapes = context.node.inputs.map((_, input) => context.shape(input));
    return tensorOf(
      context.dtype(0),
      einsumShape(context.attributes.string("equation", ""), shapes),
    );
  },
};
