import { normalAxis } from "../../ops/families/indexing.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { collapsed } from "../kernels/nest.js";
import { softmax } from "../kernels/softmax.js";
import { softmaxAcross } from "../kernels/softmax-across.js";
import { axesOf, orderOf, sizeAt, stepAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import { notAlongRows } from "./row-rules.js";
import { writeWhole } from "./write-whole.js";

export const softmaxRow: LoweringRow = {
  rows: notAlongRows(-1),
  lower(node, l) {
    const view = l.laned(l.view(node.required(0)));
    const axis = normalAxis(node.attributes.int("axis", -1), view.dims.length);
    const logarithm = node.node.op === "LogSoftmax";
    if (axis === view.lanes) {
      const order = orderOf(view);
      const y = l.allocate(node.output(), order);
      const options = {
        axes: collapsed(axesOf([view, y], order.slice(0, -1))),
        lanes: sizeAt(view, axis),
        logarithm,
        padded: y.padded,
      };
      l.plan.step(softmax, options, [view.place, y.place]);
      return;
    }
    const x = l.withLanes(view, view.lanes, true);
    const order = orderOf(x);
    const outer = order.filter((other) => other !== axis && other !== x.lanes);
    const vectors = { count: vectorsOf(sizeAt(x, x.lanes)), steps: [vectorBytes, vectorBytes] };
    writeWhole(l, l.allocate(node.output(), order, { whole: true }), order, (y) => {
      const options = {
        axes: collapsed([...axesOf([x, y], outer), vectors]),
        along: { count: sizeAt(x, axis), steps: [stepAt(x, axis), stepAt(y, axis)] },
        logarithm,
      };
      l.plan.step(softmaxAcross, options, [x.place, y.place]);
    });
  },
};
