import { orderOf } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import { planMap } from "./map-views.js";
import { keptDims, reducedAxes, reducedView, refuseAxes, resultOf } from "./reduction.js";
import { besideRows } from "./row-rules.js";

/** log Σ x. The logarithm is a step of its own: the sum's kernel would take that of lanes that only pad, too. */
export const logSumRow: LoweringRow = {
  rows: besideRows,
  refuse: refuseAxes,
  lower(node, l) {
    const x = l.laned(l.view(node.required(0)));
    const reduced = reducedAxes(node, x.dims.length);
    const sum = reducedView(l, x, reduced, "sum", []);
    const y = resultOf(l, node.output(), keptDims(x, reduced), orderOf(sum), false);
    planMap(l, [sum], y, [{ unary: { kind: "log" }, x: { input: 0 } }]);
  },
};

/** log Σ eˣ = m + log Σ e^(x − m), m the largest, or 0 where that is infinite: no power of finite numbers is more than 1. */
export const logSumExpRow: LoweringRow = {
  refuse: refuseAxes,
  lower(node, l) {
    const x = l.laned(l.view(node.required(0)));
    const reduced = reducedAxes(node, x.dims.length);
    const most = reducedView(l, x, reduced, "max", []);
    planMap(l, [most], most, [
      { unary: { kind: "absolute" }, x: { input: 0 } },
      { comparison: "equal", x: { result: 0 }, y: { constant: Infinity } },
      { choice: { result: 1 }, x: { constant: 0 }, y: { input: 0 } },
    ]);
    const layout = { order: orderOf(x), padded: false, halo: [] };
    const powers = l.temporary(x.dims, layout, "powers");
    planMap(l, [x, most], powers, [
      { binary: "subtract", x: { input: 0 }, y: { input: 1 } },
      { unary: { kind: "exp" }, x: { result: 0 } },
    ]);
    const sum = reducedView(l, powers, reduced, "sum", [{ kind: "log" }]);
    const y = resultOf(l, node.output(), keptDims(x, reduced), orderOf(sum), false);
    const addition = { binary: "add" as const, x: { input: 0 }, y: { input: 1 } };
    planMap(l, [sum, most], y, [addition]);
  },
};
