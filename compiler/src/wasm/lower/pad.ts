import { elementCount } from "@pare/runtime/format";
import { normalAxis } from "../../ops/families/indexing.js";
import { elementBytes } from "../kernels/element.js";
import { zeroRest } from "../kernels/zero-rest.js";
import type { Place } from "../plan/plan.js";
import { orderOf, rowMajor, sizeAt, sliced } from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { Lowering } from "./lowering.js";
import type { LoweringRow } from "./lowering-row.js";
import { planFill, planMove } from "./move.js";
import { movementRow } from "./movement.js";
import type { NodeFacts } from "./node-facts.js";
import { paddedRows } from "./row-rules.js";
import type { Rows } from "./rows.js";

/** A frame of one number around the input; other modes move elements. */
export const padRow: LoweringRow = {
  types: heldTypes,
  endsRows: paddedRows,
  refuse(node) {
    if (node.attributes.string("mode", "constant") !== "constant")
      return movementRow.refuse?.(node);
    const pads = node.numbers(1);
    if (pads === undefined) return "its pads must be constant";
    if (pads.some((size) => size < 0)) return "negative pads are not compiled";
    return node.input(2) !== undefined && !node.isConstant(2)
      ? "the number that it pads with must be constant"
      : undefined;
  },
  lower(node, l) {
    if (node.attributes.string("mode", "constant") !== "constant")
      return movementRow.lower(node, l);
    const rows = l.rows(node.required(0));
    if (rows !== undefined) return padRows(node, rows, l);
    const view = l.laned(l.view(node.required(0)));
    const pads = node.numbers(1) ?? [];
    const rank = view.dims.length;
    const axes = node.numbers(3)?.map((axis) => normalAxis(axis, rank)) ?? rowMajor(rank);
    const target = l.allocate(node.output(), orderOf(view), { exact: true });
    const value = node.input(2);
    planFill(l.plan, target, value === undefined ? 0 : (l.array(value)?.[0] ?? 0));
    let inside = target;
    axes.forEach((axis, at) => {
      inside = sliced(inside, axis, pads[at] ?? 0, sizeAt(view, axis));
    });
    planMove(l.plan, view.place, view.steps, inside);
  },
};

/** As many rows as there may be, of which those that are not there are zeros. */
function padRows(node: NodeFacts, rows: Rows & { readonly count: Place }, l: Lowering): void {
  const view = l.view(node.required(0));
  const dims = node.outputDims();
  const target = l.temporary(
    dims,
    { order: rowMajor(dims.length), padded: false, halo: [] },
    "padded",
    l.element(node.output()),
  );
  const there = Math.min(sizeAt(view, rows.axis), sizeAt(target, rows.axis));
  planMove(l.plan, view.place, view.steps, sliced(target, rows.axis, 0, there));
  const inner = elementCount(dims.slice(rows.axis + 1)) * elementBytes[target.element];
  const options = { bytes: rows.each * inner, all: sizeAt(target, rows.axis) * inner };
  l.plan.step(zeroRest, options, [rows.count, target.place], true);
  l.set(node.output(), target);
}
