import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import type { Dim } from "../../ir/index.js";
import { unpackNumbers } from "../elements/arrays.js";
import { broadcast } from "./binary.js";
import { broadcastDims } from "../families/broadcast.js";
import { broadcastIndices } from "../families/indexing.js";
import { broadcastInputs, tensorOf } from "../shape/inferred.js";
import type { OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { combine, isEqual, isLess } from "../families/symbolic.js";
import { join, take } from "../elements/take.js";

type Scalar = number | bigint | string;

function comparison(
  name: string,
  holds: (x: Scalar, y: Scalar) => boolean,
  dims: (x: Dim, y: Dim) => Dim | undefined,
): OperatorRow {
  return {
    name,
    domain: "",
    inputs: parameters("A", "B"),
    outputs: parameters("C"),
    attributes: [],
    infer(context) {
      const shape = broadcastInputs(context, 2);
      return tensorOf("bool", shape, combine(context, 2, shape, dims));
    },
    evaluate({ input }) {
      const dims = broadcastDims(input(0).dims, input(1).dims);
      const [x, y] = [scalars(input(0), dims), scalars(input(1), dims)];
      const data = new Uint8Array(elementCount(dims));
      for (let i = 0; i < data.length; i += 1) data[i] = holds(x[i] ?? 0, y[i] ?? 0) ? 1 : 0;
      return [{ type: "bool", dims, data }];
    },
  };
}

/** An operand's elements, one for each of the result's, strings too. */
function scalars(operand: Dense, dims: readonly number[]): ArrayLike<Scalar> {
  if (operand.type !== "string") return broadcast(operand, dims);
  return take(operand, broadcastIndices(operand.dims, dims), dims).data;
}

const flipped = (value: Dim | undefined): Dim | undefined =>
  value === undefined ? undefined : value === 0 ? 1 : 0;
const both = (x: Dim, y: Dim): Dim | undefined =>
  x === 0 || y === 0 ? 0 : x === 1 && y === 1 ? 1 : undefined;
const either = (x: Dim, y: Dim): Dim | undefined =>
  x === 1 || y === 1 ? 1 : x === 0 && y === 0 ? 0 : undefined;

/** condition ? X : Y, all three broadcast. */
const whereRow: OperatorRow = {
  name: "Where",
  domain: "",
  inputs: parameters("condition", "X", "Y"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const shape = broadcastInputs(context, 3);
    const elements = combine(context, 3, shape, (condition, x, y) =>
      condition === 1 ? x : condition === 0 ? y : x === y ? x : undefined,
    );
    return tensorOf(context.dtype(1) ?? context.dtype(2), shape, elements);
  },
  evaluate({ input }) {
    const dims = broadcastDims(input(0).dims, input(1).dims, input(2).dims);
    const condition = unpackNumbers(take(input(0), broadcastIndices(input(0).dims, dims), dims));
    const x = broadcastIndices(input(1).dims, dims);
    const y = broadcastIndices(input(2).dims, dims);
    const offset = elementCount(input(1).dims);
    const source = x.map((at, i) => (condition[i] === 0 ? offset + (y[i] ?? 0) : at));
    return [take(join([input(1), input(2)]), source, dims)];
  },
};

export const logicalRows: readonly OperatorRow[] = [
  comparison("Equal", (x, y) => x === y, isEqual),
  comparison("Less", (x, y) => x < y, isLess),
  comparison(
    "Greater",
    (x, y) => x > y,
    (x, y) => isLess(y, x),
  ),
  comparison(
    "LessOrEqual",
    (x, y) => x <= y,
    (x, y) => flipped(isLess(y, x)),
  ),
  comparison(
    "GreaterOrEqual",
    (x, y) => x >= y,
    (x, y) => flipped(isLess(x, y)),
  ),
  comparison("And", (x, y) => x === 1 && y === 1, both),
  comparison("Or", (x, y) => x === 1 || y === 1, either),
  comparison(
    "Xor",
    (x, y) => x !== y,
    (x, y) => flipped(isEqual(x, y)),
  ),
  whereRow,
];
