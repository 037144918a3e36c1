import { lanesOf } from "../kernels/element.js";
import { frame } from "../kernels/frame.js";
import type { Axis } from "../kernels/nest.js";
import { placeAt, type PlanBuilder } from "../plan/plan.js";
import { axesOf, noHalo, sizeAt, stepAt, type View } from "../plan/view.js";
import { frameOf } from "./frame.js";
import { planFillAlong } from "./move.js";

/** Writes zeros around a view: for each axis what is before and behind it, within what lies outside it in memory. */
export function fillHalo(plan: PlanBuilder, view: View, order: readonly number[]): void {
  const around = frameOf(view, order);
  if (around !== undefined) return plan.step(frame, around.options, [around.place]);
  order.forEach((axis, depth) => {
    const halo = view.halo[axis] ?? noHalo;
    const inner = order.slice(depth + 1);
    // Within the axis all that lies further inside is halo too.
    const innerAxes: Axis[] = inner.map((other) => {
      const [before, after] = view.halo[other] ?? noHalo;
      const size = before + sizeAt(view, other) + after;
      // Lanes that pad are read as well.
      const isPadded = view.padded && other === view.lanes;
      const vector = lanesOf(view.element);
      const count = isPadded ? Math.ceil(size / vector) * vector : size;
      return { count, steps: [stepAt(view, other)] };
    });
    const start = inner.reduce(
      (sum, other) => sum - (view.halo[other]?.[0] ?? 0) * stepAt(view, other),
      0,
    );
    const outer = axesOf([view], order.slice(0, depth));
    const ends = [
      { count: halo[0], at: -halo[0] * stepAt(view, axis) },
      { count: halo[1], at: sizeAt(view, axis) * stepAt(view, axis) },
    ];
    for (const { count, at } of ends) {
      if (count === 0) continue;
      const axes = [...outer, { count, steps: [stepAt(view, axis)] }, ...innerAxes];
      planFillAlong(plan, placeAt(view.place, start + at), view.element, axes, 0);
    }
  });
}
