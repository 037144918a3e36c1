import { floatBytes } from "../kernels/kernel.js";
import { nonZero } from "../kernels/non-zero.js";
import { sizeAt, stepAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";

/** NonZero: places as many as there may be, each beside its own, and how many of them there are (`boundRows`). */
export const nonZeroRow: LoweringRow = {
  types: ["bool", "float32", "int32", "int64"],
  lower(node, l) {
    const view = l.view(node.required(0));
    const rows = l.allocate(node.output(), [1, 0], { exact: true });
    const count = l.plan.memory(floatBytes, "count");
    const axes = view.dims.map((_, axis) => ({
      count: sizeAt(view, axis),
      step: stepAt(view, axis),
    }));
    const { element } = view;
    const options = { element, axes, rowStep: stepAt(rows, 1), axisStep: stepAt(rows, 0) };
    l.plan.step(nonZero, options, [view.place, rows.place, count]);
    l.count(node.node.id, rows.place.in, count);
  },
};
