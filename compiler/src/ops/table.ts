import { elementwiseRows } from "./elementwise.js";
import type { OperatorRow } from "./row.js";
import { shapeRows } from "./shape.js";

const families: readonly (readonly OperatorRow[])[] = [elementwiseRows, shapeRows];

/** Every operator that is known, by `domain::name`; "" is ai.onnx. */
export const operators: ReadonlyMap<string, OperatorRow> = new Map(
  families.flat().map((row) => [`${row.domain}::${row.name}`, row]),
);

export function operatorRow(domain: string, op: string): OperatorRow | undefined {
  return operators.get(`${domain === "ai.onnx" ? "" : domain}::${op}`);
}
