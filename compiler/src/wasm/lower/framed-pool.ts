import type { WindowAxis } from "../../ops/families/window.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { lanesOf } from "../kernels/element.js";
import { collapsed } from "../kernels/nest.js";
import { reduce } from "../kernels/reduce.js";
import { channelsLast, sizeAt, sliced, stepAt, type View } from "../plan/view.js";
import type { Lowering } from "./lowering.js";
import { planFill, planMove } from "./move.js";

/**
 * Plans the largest of large windows: of their rows first, then of the columns of what that gave, so that a window of
 * k × k takes 2·k elements. The input is copied into a frame of −∞, so that all windows are alike.
 * @param x an image whose channels fill whole vectors
 * @param axes of its rows and columns
 */
export function planFramedPool(
  l: Lowering,
  x: View,
  y: View,
  [rows, columns]: readonly [WindowAxis, WindowAxis],
): void {
  const channels = vectorsOf(sizeAt(x, 1)) * lanesOf("f32");
  const layout = { order: channelsLast(4), padded: false, halo: [] };
  const [batch, height, width] = [sizeAt(x, 0), sizeAt(x, 2), sizeAt(x, 3)];
  const framed = l.temporary(
    [batch, channels, ...[rows, columns].map(framedSize)],
    layout,
    "framed",
  );
  planFill(l.plan, framed, -Infinity);
  const inside = sliced(
    sliced(framed, 2, Number(rows.before), height),
    3,
    Number(columns.before),
    width,
  );
  // What pads its lanes comes along: it is finite.
  planMove(l.plan, x.place, x.steps, inside);
  const between = l.temporary(
    [batch, channels, sizeAt(framed, 2), sizeAt(y, 3)],
    layout,
    "largest of rows",
  );
  planAlong(l, framed, between, 3, columns);
  planAlong(l, between, y, 2, rows);
}

/** As far as the last window reaches, or the input does. */
function framedSize({ size, before, after, ...axis }: WindowAxis): number {
  const reached = (Number(axis.output) - 1) * axis.stride + (Number(axis.kernel) - 1) * axis.dilation + 1; // prettier-ignore
  return Math.max(reached, Number(before) + Number(size) + Math.max(0, Number(after)));
}

/** The largest of the windows along one axis; others stay as they are. */
function planAlong(l: Lowering, from: View, to: View, axis: 2 | 3, window: WindowAxis): void {
  const strides = [2, 3].map((at) => (at === axis ? window.stride : 1) * stepAt(from, at));
  const options = {
    axes: collapsed([
      { count: sizeAt(to, 0), steps: [stepAt(from, 0), stepAt(to, 0)] },
      { count: sizeAt(to, 2), steps: [strides[0] ?? 0, stepAt(to, 2)] },
      { count: sizeAt(to, 3), steps: [strides[1] ?? 0, stepAt(to, 3)] },
      { count: vectorsOf(sizeAt(to, 1)), steps: [vectorBytes, vectorBytes] },
    ]),
    taps: [{ count: Number(window.kernel), steps: [window.dilation * stepAt(from, axis)] }],
    fold: "max",
    after: [],
  } as const;
  l.plan.step(reduce, options, [from.place, to.place]);
}
