import type { Instruction, Operand } from "../kernels/map.js";
import { lowerMap } from "./elementwise.js";
import type { LoweringRow } from "./lowering-row.js";
import { elementwiseRows } from "./row-rules.js";

const x: Operand = { input: 0 };
const zero: Operand = { constant: 0 };

/** x above a threshold, else 0. */
export const thresholdedRow: LoweringRow = {
  rows: elementwiseRows,
  lower(node, l) {
    const alpha: Operand = { constant: node.attributes.float("alpha", 1) };
    lowerMap(
      l,
      node.output(),
      [node.required(0)],
      [
        { comparison: "less", x: alpha, y: x },
        { choice: { result: 0 }, x, y: zero },
      ],
    );
  },
};

/** x moved towards 0 by a bias where it is beyond ±λ, else 0. */
export const shrinkRow: LoweringRow = {
  rows: elementwiseRows,
  lower(node, l) {
    const lambda = node.attributes.float("lambd", 0.5);
    const bias = node.attributes.float("bias", 0);
    // Of a λ below 0 both are true: what is below −λ comes first.
    const program: readonly Instruction[] = [
      { comparison: "less", x: { constant: lambda }, y: x },
      { unary: { kind: "offset", by: -bias }, x },
      { choice: { result: 0 }, x: { result: 1 }, y: zero },
      { comparison: "less", x, y: { constant: -lambda } },
      { unary: { kind: "offset", by: bias }, x },
      { choice: { result: 3 }, x: { result: 4 }, y: { result: 2 } },
    ];
    lowerMap(l, node.output(), [node.required(0)], program);
  },
};
