import {
  elementCount,
  PareError,
  type Tensor as Dense,
  type TypedArray,
} from "@pare/runtime/format";
import { type Dim } from "../ir/index.js";
import { dim } from "../ir/index.js";
import {
  isFloat,
  isWide,
  type NumberArray,
  pack,
  unpack,
  type WideArray,
  workingArray,
} from "./arrays.js";
import { broadcastDims } from "./broadcast.js";
import { broadcastIndices } from "./indexing.js";
import { broadcastInputs, tensorOf } from "./inferred.js";
import type { AttributeReader, OperatorRow } from "./row.js";
import { parameters } from "./signature.js";
import { combine, quotient } from "./symbolic.js";

/** z = f(x, y) for every pair of elements; `integer` and `wide` where the rule for integers differs. */
export interface BinaryMath {
  readonly number: (attributes: AttributeReader) => (x: number, y: number) => number;
  readonly integer?: (x: number, y: number) => number;
  readonly wide?: (attributes: AttributeReader) => (x: bigint, y: bigint) => bigint;
  /** On the integers of shapes. */
  readonly dims?: (x: Dim, y: Dim) => Dim | undefined;
}

export function binaryRow(
  name: string,
  math: BinaryMath,
  attributes: readonly string[] = [],
): OperatorRow {
  return {
    name,
    domain: "",
    inputs: parameters("A", "B"),
    outputs: parameters("C"),
    attributes,
    infer(context) {
      const shape = broadcastInputs(context, 2);
      const { dims } = math;
      const operands = [0, 1].map((input) => ({
        elements: context.elements(input),
        shape: context.shape(input),
      }));
      const elements =
        dims &&
        combine(operands, shape, (x, y) =>
          x === undefined || y === undefined ? undefined : dims(x, y),
        );
      return tensorOf(context.dtype(0) ?? context.dtype(1), shape, elements);
    },
    evaluate(context) {
      const a = context.input(0);
      return [evaluateBinary(math, a, context.input(1), context.attributes)];
    },
  };
}

export function evaluateBinary(
  math: BinaryMath,
  a: Dense,
  b: Dense,
  attributes: AttributeReader,
): Dense {
  const dims = broadcastDims(a.dims, b.dims);
  const to = workingArray(a.type, elementCount(dims));
  const from = [a, b].map((operand) => broadcast(operand, dims));
  const [x, y] = from;
  if (x === undefined || y === undefined)
    throw new PareError("INTERNAL", "A binary operator needs two operands.");
  if (isWide(x)) {
    const f = math.wide?.(attributes);
    if (f === undefined || !isWide(y))
      throw new PareError("MODEL_SHAPE", `${a.type} and ${b.type} do not go together.`);
    for (let i = 0; i < to.length; i += 1) to[i] = f(x[i] ?? 0n, y[i] ?? 0n);
  } else {
    const f = isFloat(a.type) ? math.number(attributes) : (math.integer ?? math.number(attributes));
    const [left, right, result] = [x, y as NumberArray, to as NumberArray];
    for (let i = 0; i < result.length; i += 1) result[i] = f(left[i] ?? 0, right[i] ?? 0);
  }
  return pack(a.type, dims, to);
}

/** An operand's elements, one for each of the result's. */
export function broadcast(operand: Dense, dims: readonly number[]): TypedArray {
  const array = unpack(operand);
  if (array.length === elementCount(dims)) return array;
  const indices = broadcastIndices(operand.dims, dims);
  const result = workingArray(operand.type, indices.length);
  if (isWide(array))
    for (let i = 0; i < indices.length; i += 1)
      (result as WideArray)[i] = array[indices[i] ?? 0] ?? 0n;
  else
    for (let i = 0; i < indices.length; i += 1)
      (result as NumberArray)[i] = array[indices[i] ?? 0] ?? 0;
  return result;
}

export const binaryRows: readonly OperatorRow[] = [
  binaryRow("Add", {
    number: () => (x, y) => x + y,
    wide: () => (x, y) => x + y,
    dims: (x, y) => dim.add(x, y),
  }),
  binaryRow("Sub", {
    number: () => (x, y) => x - y,
    wide: () => (x, y) => x - y,
    dims: dim.subtract,
  }),
  binaryRow("Mul", {
    number: () => (x, y) => x * y,
    integer: Math.imul,
    wide: () => (x, y) => x * y,
    dims: (x, y) => dim.multiply(x, y),
  }),
  binaryRow("Div", {
    number: () => (x, y) => x / y,
    integer: (x, y) => Math.trunc(x / y),
    wide: () => (x, y) => (y === 0n ? 0n : x / y),
    dims: quotient,
  }),
];
