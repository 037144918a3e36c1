import type { WindowAxis } from "../../ops/families/window.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { lanesOf } from "../kernels/element.js";
import { collapsed } from "../kernels/nest.js";
import { reduce, type ReduceOptions } from "../kernels/reduce.js";
import { dividedBy } from "../kernels/unary.js";
import { channelsLast, sizeAt, sliced, stepAt, type View } from "../plan/view.js";
import type { Lowering } from "./lowering.js";
import { planMap } from "./map-views.js";
import { planFill, planMove } from "./move.js";
import { type Span, spansOf } from "./window-spans.js";

/** How windows are pooled. */
interface Pool {
  readonly fold: "max" | "sum";
  /** Of a mean: what is around the input is counted. */
  readonly countPadding: boolean;
}

/**
 * Plans the largest of large windows, or their means: of their rows first, then of the columns of what that gave, so that a
 * window of k × k takes 2·k elements. The input is copied into a frame of −∞, or of zeros, so that all windows are alike.
 * @param x an image whose channels fill whole vectors
 * @param axes of its rows and columns
 */
export function planFramedPool(
  l: Lowering,
  x: View,
  y: View,
  [rows, columns]: readonly [WindowAxis, WindowAxis],
  pool: Pool,
): void {
  const channels = vectorsOf(sizeAt(x, 1)) * lanesOf("f32");
  const layout = { order: channelsLast(4), padded: false, halo: [] };
  const [batch, height, width] = [sizeAt(x, 0), sizeAt(x, 2), sizeAt(x, 3)];
  const framed = l.temporary(
    [batch, channels, ...[rows, columns].map(framedSize)],
    layout,
    "framed",
  );
  planFill(l.plan, framed, pool.fold === "max" ? -Infinity : 0);
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
    "pooled rows",
  );
  planAlong(l, framed, between, 3, columns, pool);
  planAlong(l, between, y, 2, rows, pool);
}

/** As far as the last window reaches, or the input does. */
export function framedSize({ size, before, after, ...axis }: WindowAxis): number {
  const reached = (Number(axis.output) - 1) * axis.stride + (Number(axis.kernel) - 1) * axis.dilation + 1; // prettier-ignore
  return Math.max(reached, Number(before) + Number(size) + Math.max(0, Number(after)));
}

/** The largest of the windows along one axis, or their means; others stay as they are. */
function planAlong(
  l: Lowering,
  from: View,
  to: View,
  axis: 2 | 3,
  window: WindowAxis,
  { fold, countPadding }: Pool,
): void {
  const spans = fold === "sum" ? spansOf(window, countPadding) : [];
  const [counted, ...more] = new Set(spans.map((span) => span.counted));
  const isOne = counted !== undefined && more.length === 0;
  const strides = [2, 3].map((at) => (at === axis ? window.stride : 1) * stepAt(from, at));
  const options: ReduceOptions = {
    axes: collapsed([
      { count: sizeAt(to, 0), steps: [stepAt(from, 0), stepAt(to, 0)] },
      { count: sizeAt(to, 2), steps: [strides[0] ?? 0, stepAt(to, 2)] },
      { count: sizeAt(to, 3), steps: [strides[1] ?? 0, stepAt(to, 3)] },
      { count: vectorsOf(sizeAt(to, 1)), steps: [vectorBytes, vectorBytes] },
    ]),
    taps: [{ count: Number(window.kernel), steps: [window.dilation * stepAt(from, axis)] }],
    fold,
    after: isOne ? [dividedBy(counted)] : [],
  };
  l.plan.step(reduce, options, [from.place, to.place]);
  if (more.length > 0) planCounts(l, to, axis, spans);
}

/** Divides sums in place: at the edges fewer elements are counted. */
function planCounts(l: Lowering, sums: View, axis: 2 | 3, spans: readonly Span[]): void {
  const counts = new Float32Array(sizeAt(sums, axis));
  for (const { start, count, counted } of spans) counts.fill(counted, start, start + count);
  const dims = sums.dims.map((size, at) => (at === axis ? size : 1));
  const view = l.constantView(counts, dims, channelsLast(4));
  planMap(l, [sums, view], sums, [{ binary: "divide", x: { input: 0 }, y: { input: 1 } }]);
}
