import { suppress } from "../kernels/suppress.js";
import { floatBytes } from "../kernels/kernel.js";
import type { Place } from "../plan/plan.js";
import { rowMajor, sizeAt, stepAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import { type NodeFacts } from "./node-facts.js";
import { suppressedRows } from "./row-rules.js";

/** NonMaxSuppression: rows as many as there may be, and how many of them there are (`boundRows`). */
export const suppressionRow: LoweringRow = {
  rows: suppressedRows,
  types: ["float32", "int64"],
  lower(node, l) {
    const [boxes, scores] = [l.view(node.required(0)), l.view(node.required(1))];
    const number = (index: number): Place => {
      const id = node.input(index);
      return id === undefined ? l.plan.constant(Float32Array.of(0)) : l.view(id).place;
    };
    const [share, threshold] = [number(3), number(4)];
    const rows = l.allocate(node.output(), rowMajor(2), { exact: true });
    const count = l.plan.memory(floatBytes, "count");
    const heap = l.plan.memory(sizeAt(scores, 2) * floatBytes, "candidates");
    // Boxes may be rows themselves: where there are none of them, none are kept.
    const there = l.rows(node.required(1))?.count;
    const options = {
      batches: sizeAt(scores, 0),
      classes: sizeAt(scores, 1),
      boxes: sizeAt(scores, 2),
      limit: mostKept(node, sizeAt(scores, 2)),
      readsLimit: isComputed(node),
      countsBoxes: there !== undefined,
      hasThreshold: node.input(4) !== undefined,
      centred: node.attributes.int("center_point_box", 0) === 1,
      boxSteps: [stepAt(boxes, 0), stepAt(boxes, 1), stepAt(boxes, 2)] as const,
      scoreSteps: [stepAt(scores, 0), stepAt(scores, 1), stepAt(scores, 2)] as const,
      rowStep: stepAt(rows, 0),
    };
    const places = [boxes.place, scores.place, share, threshold, rows.place, count, heap];
    const wanted = isComputed(node) ? l.view(node.required(2)).place : count;
    l.plan.step(suppress, options, [...places, there ?? count, wanted], true);
    l.count(node.node.id, rows.place.in, count);
  },
};

/** How many of so many boxes are kept of a class at most: all, where that is computed. */
export function mostKept(node: NodeFacts, boxes: number): number {
  if (node.input(2) === undefined) return 0;
  const [most = boxes] = node.numbers(2) ?? [];
  return Math.min(Math.max(0, most), boxes);
}

function isComputed(node: NodeFacts): boolean {
  return node.input(2) !== undefined && !node.isConstant(2);
}
