import type { Dtype } from "@pare/runtime/format";
import { normalAxis } from "../../ops/families/indexing.js";
import { cumulativeSum } from "../kernels/cumulative-sum.js";
import { extremumPlace } from "../kernels/extremum-place.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { top } from "../kernels/top.js";
import { placeAt } from "../plan/plan.js";
import { axesOf, rowMajor, sizeAt, stepAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import { besideRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import { resultOf } from "./reduction.js";

const numbers: readonly Dtype[] = ["float32", "int32", "int64"];

/** What its axis' elements are, one after the other. */
type Number = "f32" | "i32" | "i64";

function numberOf(view: View): Number {
  return view.element === "i64" || view.element === "f32" ? view.element : "i32";
}

/** The loops around an axis. */
function around(views: readonly View[], axis: number): readonly Axis[] {
  const rank = views[0]?.dims.length ?? 0;
  const order = rowMajor(rank).filter((other) => other !== axis);
  return collapsed(axesOf(views, order));
}

export const cumulativeSumRow: LoweringRow = {
  types: numbers,
  refuse: (node) => (node.numbers(1) === undefined ? "its axis must be constant" : undefined),
  lower(node, l) {
    const x = l.view(node.required(0));
    const rank = x.dims.length;
    const axis = normalAxis(node.numbers(1)?.[0] ?? 0, rank);
    const y = l.allocate(node.output(), rowMajor(rank), { exact: true });
    const isBackwards = node.attributes.int("reverse", 0) !== 0;
    const last = sizeAt(x, axis) - 1;
    const places = [x, y].map((view) =>
      placeAt(view.place, isBackwards ? last * stepAt(view, axis) : 0),
    );
    const steps = [x, y].map((view) => (isBackwards ? -stepAt(view, axis) : stepAt(view, axis)));
    const options = {
      element: numberOf(x),
      axes: around([x, y], axis),
      along: { count: sizeAt(x, axis), steps },
      exclusive: node.attributes.int("exclusive", 0) !== 0,
    };
    l.plan.step(cumulativeSum, options, places);
  },
};

/** ArgMax and ArgMin. */
export const extremumPlaceRow: LoweringRow = {
  rows: besideRows,
  types: numbers,
  lower(node, l) {
    const x = l.view(node.required(0));
    const rank = x.dims.length;
    const axis = normalAxis(node.attributes.int("axis", 0), rank);
    const kept = x.dims.map((size, at) => (at === axis ? 1 : size));
    const y = resultOf(l, node.output(), kept, rowMajor(rank), false);
    const options = {
      element: numberOf(x),
      axes: around([x, y], axis),
      count: sizeAt(x, axis),
      step: stepAt(x, axis),
      largest: node.node.op === "ArgMax",
      last: node.attributes.int("select_last_index", 0) !== 0,
    };
    l.plan.step(extremumPlace, options, [x.place, y.place]);
  },
};

/** The largest few, sorted: what is wanted unsorted is as well served. */
export const topRow: LoweringRow = {
  rows: besideRows,
  types: numbers,
  lower(node, l) {
    const x = l.view(node.required(0));
    const rank = x.dims.length;
    const axis = normalAxis(node.attributes.int("axis", -1), rank);
    const values = resultAt(node, l, 0, x);
    const places = resultAt(node, l, 1, x);
    const options = {
      element: numberOf(x),
      axes: around([x, values, places], axis),
      count: sizeAt(x, axis),
      steps: [stepAt(x, axis), stepAt(values, axis), stepAt(places, axis)] as const,
      wanted: sizeAt(values, axis),
      largest: node.attributes.int("largest", 1) !== 0,
    };
    l.plan.step(top, options, [x.place, values.place, places.place]);
  },
};

/** Memory for one of its outputs, which may not be wanted. */
function resultAt(node: NodeFacts, l: Lowering, at: 0 | 1, x: View): View {
  const id = node.node.outputs[at];
  const order = rowMajor(x.dims.length);
  if (id !== null && id !== undefined) return l.allocate(id, order, { exact: true });
  const other = node.outputDims(1 - at);
  const layout = { order, padded: false, halo: [] };
  return l.temporary(other, layout, "unwanted", at === 0 ? x.element : "i64");
}
