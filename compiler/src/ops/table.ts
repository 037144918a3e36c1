import { castRows } from "./cast.js";
import { concatSplitRows } from "./concat-split.js";
import { creationRows } from "./creation.js";
import { depthSpaceRows } from "./depth-space.js";
import { elementwiseRows } from "./elementwise.js";
import { gatherRows } from "./gather.js";
import { logicalRows } from "./logical.js";
import { movementRows } from "./movement.js";
import { neuralRows } from "./neural.js";
import { padRows } from "./pad.js";
import { reductionRows } from "./reduction.js";
import { randomRows } from "./random.js";
import type { OperatorRow } from "./row.js";
import { scatterRows } from "./scatter.js";
import { selectionRows } from "./selection.js";
import { shapeRows } from "./shape.js";
import { sliceRows } from "./slice.js";

const families: readonly (readonly OperatorRow[])[] = [
  elementwiseRows,
  logicalRows,
  randomRows,
  reductionRows,
  selectionRows,
  shapeRows,
  creationRows,
  castRows,
  movementRows,
  concatSplitRows,
  depthSpaceRows,
  sliceRows,
  padRows,
  gatherRows,
  scatterRows,
  neuralRows,
];

/** Every operator that is known, by `domain::name`; "" is ai.onnx. */
export const operators: ReadonlyMap<string, OperatorRow> = new Map(
  families.flat().map((row) => [`${row.domain}::${row.name}`, row]),
);

export function operatorRow(domain: string, op: string): OperatorRow | undefined {
  return operators.get(`${domain === "ai.onnx" ? "" : domain}::${op}`);
}
