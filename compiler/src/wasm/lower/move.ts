import { copy, type CopyAxis } from "../kernels/copy.js";
import { fill } from "../kernels/fill.js";
import { type Element, elementBytes, lanesOf } from "../kernels/element.js";
import { floatBytes } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { type Place, placeAt, type PlanBuilder } from "../plan/plan.js";
import { axesOf, orderOf, sizeAt, stepAt, type View } from "../plan/view.js";

/** Where along an axis the elements of a source are, from its first: at multiples of a step, or listed. In bytes. */
export type Along = number | readonly number[];

/** Plans a copy into a view: its element at a coordinate is the source's at the sum of what each axis adds. */
export function planMove(
  plan: PlanBuilder,
  source: Place,
  along: readonly Along[],
  target: View,
): void {
  const order = orderOf(target);
  const inner = order.at(-1) ?? 0;
  const lanes = sizeAt(target, inner);
  const each = elementBytes[target.element];
  const unit = each === 1 ? 1 : floatBytes;
  const perVector = lanesOf(target.element);
  const isRun = target.lanes === inner && (lanes === 1 || along[inner] === each);
  const padding = target.padded ? Math.ceil(lanes / perVector) * perVector - lanes : 0;
  const tables: number[] = [];
  const axes: CopyAxis[] = [];
  for (const axis of isRun ? order.slice(0, -1) : order) {
    const count = sizeAt(target, axis);
    if (count === 1) continue;
    const from = along[axis] ?? 0;
    const output = stepAt(target, axis);
    if (typeof from === "number") {
      const outer = axes.at(-1);
      const follows =
        outer !== undefined &&
        "step" in outer.input &&
        outer.input.step === count * from &&
        outer.output === count * output;
      const joined = { count: (follows ? outer.count : 1) * count, output, input: { step: from } };
      if (follows) axes[axes.length - 1] = joined;
      else axes.push(joined);
    } else {
      axes.push({ count, output, input: { table: tables.length * floatBytes } });
      for (const place of from) tables.push(place);
    }
  }
  let run = isRun ? lanes : 1;
  const last = axes.at(-1);
  const bytes = run * each;
  if (
    padding === 0 &&
    last?.output === bytes &&
    "step" in last.input &&
    last.input.step === bytes
  ) {
    run *= last.count;
    axes.pop();
  }
  const table = tables.length > 0 ? plan.constant(Int32Array.from(tables)) : target.place;
  const units = each / unit;
  const whole = { unit, units: run * units, zeros: isRun ? padding * units : 0 } as const;
  plan.step(copy, { axes, run: whole }, [source, target.place, table]);
  if (!isRun && padding > 0) {
    const end = placeAt(target.place, lanes * each);
    const around = collapsed(axesOf([target], order.slice(0, -1)));
    const { element } = target;
    plan.step(fill, { element, axes: around, run: padding, value: 0 }, [end]);
  }
}

/** Writes one number to every element of a view. */
export function planFill(plan: PlanBuilder, target: View, value: number | bigint): void {
  planFillAlong(plan, target.place, target.element, axesOf([target], orderOf(target)), value);
}

/** Writes one number to every element along some axes. */
export function planFillAlong(
  plan: PlanBuilder,
  place: Place,
  element: Element,
  axes: readonly Axis[],
  value: number | bigint,
): void {
  const loops = collapsed(axes);
  const last = loops.at(-1);
  const isRun = last?.steps[0] === elementBytes[element];
  const options = {
    element,
    axes: isRun ? loops.slice(0, -1) : loops,
    run: isRun ? last.count : 1,
    value,
  };
  plan.step(fill, options, [place]);
}
