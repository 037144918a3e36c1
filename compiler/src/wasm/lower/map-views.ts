import { floatBytes, laneCount } from "../kernels/kernel.js";
import { type Instruction, map } from "../kernels/map.js";
import { collapsed } from "../kernels/nest.js";
import { axesOf, orderOf, sizeAt, stepAt, type View } from "../plan/view.js";
import type { Lowering } from "./lowering.js";

/**
 * Plans an elementwise computation into a view with lanes.
 * @param views of as many axes, each as long as the result's or one; their lanes lie along the result's, or are one
 */
export function planMap(
  l: Lowering,
  views: readonly View[],
  y: View,
  program: readonly Instruction[],
): void {
  const order = orderOf(y);
  const lanes = order.at(-1) ?? 0;
  const steps = [...views, y].map((view) => (sizeAt(view, lanes) === 1 ? 0 : stepAt(view, lanes)));
  const outer = axesOf([...views, y], order.slice(0, -1));
  const count = sizeAt(y, lanes);
  const joined = collapsed([...outer, { count, steps }]);
  const last = joined.at(-1);
  // Rows without gaps are one: fewer loops, and no vectors that end early.
  const joins =
    last !== undefined &&
    last.steps.at(-1) === floatBytes &&
    last.steps.every((step) => step === 0 || step === floatBytes) &&
    !(y.padded && count % laneCount > 0);
  const run = joins ? last : { count, steps };
  const isSplat = (view: View, at: number): boolean =>
    joins ? run.steps[at] === 0 : sizeAt(view, lanes) === 1 && count > 1;
  const same = { unary: { kind: "scale" as const, by: 1 }, x: { input: 0 } };
  l.plan.step(
    map,
    {
      axes: joins ? joined.slice(0, -1) : collapsed(outer),
      lanes: run.count,
      inputs: views.map((view, at) => (isSplat(view, at) ? "splat" : "lanes")),
      program: program.length > 0 ? program : [same],
      padded: y.padded && !joins,
    },
    [...views, y].map(({ place }) => place),
  );
}
