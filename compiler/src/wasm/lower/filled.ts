import { filling } from "../../ops/index.js";
import { elementsOf } from "../kernels/element.js";
import { viewOf } from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { LoweringRow } from "./lowering-row.js";

/** ConstantOfShape: a single number, which is read for every place. */
export const filledRow: LoweringRow = {
  types: heldTypes,
  refuse: (node) =>
    node.isConstant(0) ? undefined : "indices, sizes and the like must be constant",
  lower(node, l) {
    const id = node.output();
    const { data } = filling(node.attributes);
    const numbers = ArrayBuffer.isView(data) ? elementsOf(data, l.element(id)) : undefined;
    if (numbers === undefined) throw node.fault("fills with what is not held");
    const dims = l.dims(id);
    const one = l.constantView(
      numbers,
      dims.map(() => 1),
    );
    const still = dims.map(() => 0);
    l.set(id, viewOf(one.place, dims, still, { element: one.element }));
  },
};
