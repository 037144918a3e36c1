import { orderOf } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import { planMap } from "./map-views.js";
import { keptDims, reducedAxes, reducedView, refuseAxes, resultOf } from "./reduction.js";

/** log Σ eˣ = m + log Σ e^(x − m), m the largest: no power is more than 1. */
export const logSumExpRow: LoweringRow = {
  refuse: refuseAxes,
  lower(node, l) {
    const x = l.laned(l.view(node.required(0)));
    const reduced = reducedAxes(node, x.dims.length);
    const most = reducedView(l, x, reduced, "max", []);
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
