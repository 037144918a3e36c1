import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import {
  isWide,
  pack,
  unpack,
  unpackNumbers,
  type WideArray,
  workingArray,
} from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { broadcastDims } from "../families/broadcast.js";
import { broadcastIndices } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { matrixSchemas } from "../schema/matrix.js";
import { evaluateEinsum } from "./einsum.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";
import { centred, requantize } from "./quantized.js";

/** Which rows and columns each result's element is the product of. */
interface Product {
  readonly dims: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Per batch, the first element of its matrices. */
  readonly left: ArrayLike<number>;
  readonly right: ArrayLike<number>;
}

function productPlan(a: readonly number[], b: readonly number[]): Product {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [rows = 0, inner = 0] = left.slice(-2);
  const [depth = 0, columns = 0] = right.slice(-2);
  if (a.length === 0 || b.length === 0 || inner !== depth) {
    throw new PareError(
      "MODEL_SHAPE",
      `[${a.join(", ")}] and [${b.join(", ")}] cannot be multiplied.`,
    );
  }
  const batch = broadcastDims(left.slice(0, -2), right.slice(0, -2));
  const dims = [...batch, ...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [columns])];
  const starts = (from: readonly number[], size: number) =>
    broadcastIndices(from.slice(0, -2), batch).map((at) => at * size);
  return {
    dims,
    rows,
    inner,
    columns,
    left: starts(left, rows * inner),
    right: starts(right, inner * columns),
  };
}

function multiply(a: ArrayLike<number>, b: ArrayLike<number>, plan: Product): Float64Array {
  const { rows, inner, columns } = plan;
  const values = new Float64Array(elementCount(plan.dims));
  for (let i = 0; i < values.length; i += 1) {
    const matrix = Math.floor(i / (rows * columns));
    const row = (plan.left[matrix] ?? 0) + (Math.floor(i / columns) % rows) * inner;
    const column = (plan.right[matrix] ?? 0) + (i % columns);
    let sum = 0;
    for (let k = 0; k < inner; k += 1) sum += (a[row + k] ?? 0) * (b[column + k * columns] ?? 0);
    values[i] = sum;
  }
  return values;
}

function multiplyWide(a: WideArray, b: WideArray, plan: Product, into: WideArray): void {
  const { rows, inner, columns } = plan;
  for (let i = 0; i < into.length; i += 1) {
    const matrix = Math.floor(i / (rows * columns));
    const row = (plan.left[matrix] ?? 0) + (Math.floor(i / columns) % rows) * inner;
    const column = (plan.right[matrix] ?? 0) + (i % columns);
    let sum = 0n;
    for (let k = 0; k < inner; k += 1) sum += (a[row + k] ?? 0n) * (b[column + k * columns] ?? 0n);
    into[i] = sum;
  }
}

function swapped(x: Dense): Dense {
  const [rows = 0, columns = 0] = x.dims;
  const from = unpackNumbers(x);
  const values = Float64Array.from(
    { length: from.length },
    (_, i) => from[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
  return denseOf(x.type, [columns, rows], values);
}

export const matrixReferences: Some<typeof matrixSchemas, Evaluation> = {
  MatMul({ input }) {
    const [a, b] = [input(0), input(1)];
    const plan = productPlan(a.dims, b.dims);
    const [left, right] = [unpack(a), unpack(b)];
    if (isWide(left) && isWide(right)) {
      const result = workingArray(a.type, elementCount(plan.dims));
      if (isWide(result)) multiplyWide(left, right, plan, result);
      return [pack(a.type, plan.dims, result)];
    }
    return [denseOf(a.type, plan.dims, multiply(unpackNumbers(a), unpackNumbers(b), plan))];
  },
  MatMulInteger({ input, inputs }) {
    const [a, b] = [input(0), input(1)];
    const plan = productPlan(a.dims, b.dims);
    const sums = multiply(
      centred(a, inputs[2], a.dims.length - 2),
      centred(b, inputs[3], b.dims.length - 1),
      plan,
    );
    return [denseOf("int32", plan.dims, sums)];
  },
  QLinearMatMul({ input, inputs }) {
    const [a, b] = [input(0), input(3)];
    const plan = productPlan(a.dims, b.dims);
    const sums = multiply(
      centred(a, inputs[2], a.dims.length - 2),
      centred(b, inputs[5], b.dims.length - 1),
      plan,
    );
    const scales = { left: input(1), right: input(4), result: input(6), zeroPoint: input(7) };
    return [requantize(sums, plan.dims, (i) => i % plan.columns, scales)];
  },
  /** Y = alpha · A' · B' + beta · C. */
  Gemm({ input, inputs, attributes }: EvaluateContext) {
    const a = attributes.int("transA", 0) === 0 ? input(0) : swapped(input(0));
    const b = attributes.int("transB", 0) === 0 ? input(1) : swapped(input(1));
    const plan = productPlan(a.dims, b.dims);
    const alpha = attributes.float("alpha", 1);
    const beta = attributes.float("beta", 1);
    const c = inputs[2] ?? undefined;
    const bias = c && unpackNumbers(c);
    const at = c && broadcastIndices(c.dims, plan.dims);
    const values = multiply(unpackNumbers(a), unpackNumbers(b), plan).map(
      (sum, i) => alpha * sum + (bias === undefined ? 0 : beta * (bias[at?.[i] ?? 0] ?? 0)),
    );
    return [denseOf(a.type, plan.dims, values)];
  },
  Einsum: evaluateEinsum,
};
