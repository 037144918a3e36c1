import { binaryRows } from "./binary.js";
import type { OperatorRow } from "./row.js";
import { unaryRows } from "./unary.js";
import { variadicRows } from "./variadic.js";

/** Operators that compute each element of the result from the elements at its place. */
export const elementwiseRows: readonly OperatorRow[] = [
  ...unaryRows,
  ...binaryRows,
  ...variadicRows,
];
