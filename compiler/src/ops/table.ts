import { castRows } from "./reference/cast.js";
import { concatSplitRows } from "./reference/concat-split.js";
import { creationRows } from "./reference/creation.js";
import { depthSpaceRows } from "./reference/depth-space.js";
import { elementwiseRows } from "./elementwise.js";
import { gatherRows } from "./reference/gather.js";
import { logicalRows } from "./reference/logical.js";
import { movementRows } from "./reference/movement.js";
import { neuralRows } from "./neural.js";
import { padRows } from "./reference/pad.js";
import { reductionRows } from "./reference/reduction.js";
import { randomRows } from "./shape/random.js";
import type { OperatorRow } from "./shape/rule.js";
import { scatterRows } from "./reference/scatter.js";
import { selectionRows } from "./reference/selection.js";
import { shapeRows } from "./shape/reshape.js";
import { sliceRows } from "./reference/slice.js";

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
