import { progression } from "../kernels/progression.js";
import { rowMajor, sizeAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";

/** Range: how many numbers it gives is known, what they are need not be. */
export const rangeRow: LoweringRow = {
  types: ["float32", "int32", "int64"],
  lower(node, l) {
    const [first, distance] = [0, 2].map((at) => l.view(node.required(at)));
    if (first === undefined || distance === undefined) throw node.fault("lacks an input");
    const y = l.allocate(node.output(), rowMajor(1), { exact: true });
    const element = y.element === "i64" || y.element === "f32" ? y.element : "i32";
    l.plan.step(progression, { element, count: sizeAt(y, 0) }, [
      first.place,
      distance.place,
      y.place,
    ]);
  },
};
