import { unaryRows } from "./unary.js";
import { binaryRows } from "./binary.js";
import type { OperatorRow } from "./row.js";

export const elementwiseRows: readonly OperatorRow[] = [...unaryRows, ...binaryRows];
