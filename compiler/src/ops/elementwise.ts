import { binaryRows } from "./reference/binary.js";
import type { OperatorRow } from "./shape/rule.js";
import { unaryRows } from "./reference/unary.js";
import { variadicRows } from "./reference/variadic.js";

/** Operators that compute each element of the result from the elements at its place. */
export const elementwiseRows: readonly OperatorRow[] = [
  ...unaryRows,
  ...binaryRows,
  ...variadicRows,
];
