import { evenParts } from "../../ops/families/concat-split.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { orderOf, rowMajor, sizeAt, sliced } from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { LoweringRow } from "./lowering-row.js";
import { planMove } from "./move.js";
import { besideRows, joinedRows } from "./row-rules.js";

export const splitRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  refuse: (node) =>
    node.input(1) !== undefined && !node.isConstant(1) && node.node.outputs.includes(null)
      ? "sizes of parts that are left out must be constant"
      : undefined,
  lower(node, l) {
    const view = l.view(node.required(0));
    const axis = normalAxis(node.attributes.int("axis", 0), view.dims.length);
    const { outputs } = node.node;
    const parts = node.attributes.int("num_outputs", outputs.length);
    const sizes =
      node.numbers(1) ??
      node.attributes.ints("split") ??
      evenParts(sizeAt(view, axis), outputs.length, parts).map(Number);
    let start = 0;
    for (const [at, id] of outputs.entries()) {
      // What nobody asked for is a part as well.
      const size = (id === null ? sizes[at] : node.outputDims(at)[axis]) ?? 0;
      if (id !== null) l.set(id, sliced(view, axis, start, size));
      start += size;
    }
  },
};

/** Inputs that were written where they belong are there; others are copied. */
export const concatRow: LoweringRow = {
  rows: joinedRows,
  types: heldTypes,
  lower(node, l) {
    const id = node.output();
    const known = l.joined(id);
    const { inputs } = node;
    const [first] = inputs.filter((input) => !l.isConstant(input));
    const order =
      first === undefined ? rowMajor(l.dims(id).length) : orderOf(l.laned(l.view(first)));
    const target = known ?? l.allocate(id, order);
    const axis = normalAxis(node.attributes.int("axis", 0), target.dims.length);
    let [start, isPadded] = [0, true];
    for (const [at, input] of inputs.entries()) {
      const view = l.view(input);
      const part = sliced(target, axis, start, sizeAt(view, axis));
      const isThere = view.place.in === part.place.in && view.place.offset === part.place.offset;
      if (!isThere) planMove(l.plan, view.place, view.steps, part);
      // What pads the lanes is written where every part did so; along the lanes the last alone has any.
      const hasPadding = axis !== target.lanes || at === inputs.length - 1;
      if (hasPadding) isPadded &&= (isThere ? view : part).padded;
      start += sizeAt(view, axis);
    }
    l.set(id, { ...target, padded: target.padded && isPadded });
  },
};
