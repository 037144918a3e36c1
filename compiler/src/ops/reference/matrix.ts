import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import type { Dim } from "../../ir/index.js";
import { isWide, pack, unpack, unpackNumbers, type WideArray, workingArray } from "../elements/arrays.js";
import { broadcastDims, broadcastShapes } from "../families/broadcast.js";
import { denseOf } from "../elements/dense.js";
import { broadcastIndices } from "../families/indexing.js";
import { tensorOf } from "../shape/inferred.js";
import { centred, requantize } from "./quantized.js";
import type { EvaluateContext, InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";

/** numpy's matmul: a vector is a row on the left, a column on the right, and its 1 is dropped again. */
function productShape(
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
  if (batch === undefined) return undefined;
  return [...batch, ...a.slice(0, -1).slice(-1), ...(b.length > 1 ? b.slice(-1) : [])];
}

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

const matMulRow: OperatorRow = {
  name: "MatMul",
  domain: "",
  inputs: parameters("A", "B"),
  outputs: parameters("Y"),
  attributes: [],
  infer: (context) => tensorOf(context.dtype(0), productShape(context.shape(0), context.shape(1))),
  evaluate({ input }) {
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
};

const matMulIntegerRow: OperatorRow = {
  name: "MatMulInteger",
  domain: "",
  inputs: parameters("A", "B", "a_zero_point?", "b_zero_point?"),
  outputs: parameters("Y"),
  attributes: [],
  infer: (context) => tensorOf("int32", productShape(context.shape(0), context.shape(1))),
  evaluate({ input, inputs }) {
    const [a, b] = [input(0), input(1)];
    const plan = productPlan(a.dims, b.dims);
    const sums = multiply(
      centred(a, inputs[2], a.dims.length - 2),
      centred(b, inputs[3], b.dims.length - 1),
      plan,
    );
    return [denseOf("int32", plan.dims, sums)];
  },
};

const qlinearMatMulRow: OperatorRow = {
  name: "QLinearMatMul",
  domain: "",
  inputs: parameters(
    "a",
    "a_scale",
    "a_zero_point",
    "b",
    "b_scale",
    "b_zero_point",
    "y_scale",
    "y_zero_point",
  ),
  outputs: parameters("y"),
  attributes: [],
  infer: (context) => tensorOf(context.dtype(7), productShape(context.shape(0), context.shape(3))),
  evaluate({ input, inputs }) {
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
};

function gemmShape(context: InferContext): readonly Dim[] | undefined {
  const { attributes } = context;
  const rows = context.shape(0)?.[attributes.int("transA", 0) === 0 ? 0 : 1];
  const columns = context.shape(1)?.[attributes.int("transB", 0) === 0 ? 1 : 0];
  return rows === undefined || columns === undefined ? undefined : [rows, columns];
}

/** Y = alpha · A' · B' + beta · C. */
const gemmRow: OperatorRow = {
  name: "Gemm",
  domain: "",
  inputs: parameters("A", "B", "C?"),
  outputs: parameters("Y"),
  attributes: ["alpha", "beta", "transA", "transB"],
  infer: (context) => tensorOf(context.dtype(0), gemmShape(context)),
  evaluate({ input, inputs, attributes }: EvaluateContext) {
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
};

function swapped(x: Dense): Dense {
  const [rows = 0, columns = 0] = x.dims;
  const from = unpackNumbers(x);
  const values = Float64Array.from(
    { length: from.length },
    (_, i) => from[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
  return denseOf(x.type, [columns, rows], values);
}

/** Weights in N blocks of a few bits: inference alone, for files that were quantized so. */
const matMulNBitsRow: OperatorRow = {
  name: "MatMulNBits",
  domain: "com.microsoft",
  inputs: parameters("A", "B", "scales", "zero_points?", "g_idx?", "bias?"),
  outputs: parameters("Y"),
  attributes: ["K", "N", "accuracy_level", "bits", "block_size", "weight_prepacked"],
  infer(context) {
    const a = context.shape(0);
    const columns = context.attributes.int("N");
    return tensorOf(
      context.dtype(0),
      a === undefined || columns === undefined ? undefined : [...a.slice(0, -1), columns],
    );
  },
};

export const matrixRows: readonly OperatorRow[] = [
  matMulRow,
  matMulIntegerRow,
  qlinearMatMulRow,
  gemmRow,
  matMulNBitsRow,
];
