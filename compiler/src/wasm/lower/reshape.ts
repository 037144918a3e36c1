import { permuted, rowMajor } from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { LoweringRow } from "./lowering-row.js";
import { besideRows, rowsInOrder } from "./row-rules.js";

/** The same elements under other dims. */
export const reshapeRow: LoweringRow = {
  rows: rowsInOrder,
  types: heldTypes,
  lower(node, l) {
    const id = node.required(0);
    l.setReshaped(node.output(), l.pending(id) ?? l.view(id));
  },
};

export const identityRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  lower(node, l) {
    l.set(node.output(), l.view(node.required(0)));
  },
};

export const transposeRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  lower(node, l) {
    const view = l.view(node.required(0));
    const backwards = [...rowMajor(view.dims.length)].reverse();
    l.set(node.output(), permuted(view, node.attributes.ints("perm") ?? backwards));
  },
};
