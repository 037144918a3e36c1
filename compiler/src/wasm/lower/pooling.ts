import {
  isMoving,
  readsSameOtherwise,
  type WindowAxis,
  windowAxes,
} from "../../ops/families/window.js";
import type { Fold } from "../kernels/fold.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { reduce } from "../kernels/reduce.js";
import { dividedBy } from "../kernels/unary.js";
import { type Place, placeAt } from "../plan/plan.js";
import { channelsLast, sizeAt, stepAt, type View } from "../plan/view.js";
import { planFramedPool } from "./framed-pool.js";
import { asImage } from "./image.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import { type Span, spansOf } from "./window-spans.js";

/** A file may say any number; a frame around the input is as much larger. */
const mostTaps = 4096;

/** The inside, edges and corners of small windows; of large ones each place at an edge would have a loop of its own. */
const mostParts = 9;

function poolRow(fold: "max" | "sum"): LoweringRow {
  const isMean = fold === "sum";
  return {
    refuse(node) {
      const rank = node.dims(0).length;
      if (rank < 3 || rank > 4) return "pools over one or two axes are compiled";
      if (node.node.outputs.length > 1 && node.node.outputs[1] !== null)
        return "places of the largest are not compiled";
      if (spatialAxes(node).some(({ kernel }) => Number(kernel) > mostTaps))
        return `windows of more than ${mostTaps} elements along an axis are not compiled`;
      if (!spatialAxes(node).every(isMoving)) return "its window does not fit";
      const otherwise = readsSameOtherwise(spatialAxes(node), node.attributes, true);
      if (otherwise !== undefined) return otherwise;
      if (spatialAxes(node).some(({ before, after }) => Number(before) < 0 || Number(after) < 0))
        return "negative pads are not compiled";
      const isEmpty = spatialAxes(node).some((axis) =>
        spansOf(axis, false).some(({ taps }) => taps === 0),
      );
      return isEmpty ? "a window lies in the padding alone" : undefined;
    },
    lower(node, l) {
      const counts = isMean && node.attributes.int("count_include_pad", 0) !== 0;
      const { x, y } = imagesOf(node, l);
      const axes = imageAxes(node);
      const parts = poolParts(axes, counts);
      if (parts === undefined) return planFramedPool(l, x, y, axes, { fold, countPadding: counts });
      for (const part of parts) {
        const { count, strides, dilations, taps } = part;
        l.plan.step(
          reduce,
          {
            axes: collapsed([
              batchAxis(x, y),
              { count: count[0], steps: [strides[0] * stepAt(x, 2), stepAt(y, 2)] },
              { count: count[1], steps: [strides[1] * stepAt(x, 3), stepAt(y, 3)] },
              vectorAxis(y),
            ]),
            taps: collapsed([
              { count: taps[0], steps: [dilations[0] * stepAt(x, 2)] },
              { count: taps[1], steps: [dilations[1] * stepAt(x, 3)] },
            ]),
            fold,
            after: isMean ? [dividedBy(part.counted)] : [],
          },
          [placeIn(x, part.from), placeIn(y, part.to)],
        );
      }
    },
  };
}

type Two = readonly [row: number, column: number];

/** Results whose windows reach alike: all of them but those at the edges. */
export interface PoolPart {
  /** Where the first window's first element is, and its result. */
  readonly from: Two;
  readonly to: Two;
  /** Results. */
  readonly count: Two;
  readonly strides: Two;
  readonly dilations: Two;
  /** Elements of a window that are in the input. */
  readonly taps: Two;
  /** Elements that a mean counts. */
  readonly counted: number;
}

/** A pool over two axes in parts; undefined where they are too many. */
export function poolParts(
  [rows, columns]: readonly [WindowAxis, WindowAxis],
  countPadding: boolean,
): readonly PoolPart[] | undefined {
  const [down, across] = [spansOf(rows, countPadding), spansOf(columns, countPadding)];
  if (down.length * across.length > mostParts) return undefined;
  return down.flatMap((row) =>
    across.map((column) => ({
      from: [firstOf(rows, row), firstOf(columns, column)],
      to: [row.start, column.start],
      count: [row.count, column.count],
      strides: [rows.stride, columns.stride],
      dilations: [rows.dilation, columns.dilation],
      taps: [row.taps, column.taps],
      counted: row.counted * column.counted,
    })),
  );
}

/** Where the first window of a span begins in the input. */
function firstOf({ stride, before, dilation }: WindowAxis, { start, firstTap }: Span): number {
  return start * stride - Number(before) + firstTap * dilation;
}

function placeIn(view: View, [row, column]: Two): Place {
  return placeAt(view.place, row * stepAt(view, 2) + column * stepAt(view, 3));
}

function spatialAxes(node: NodeFacts): readonly WindowAxis[] {
  const kernel = node.attributes.ints("kernel_shape") ?? [];
  return windowAxes(node.dims(0).slice(2), kernel, node.attributes);
}

/** The window over rows and columns; over one axis, the rows are one row. */
export function imageAxes(node: NodeFacts): readonly [rows: WindowAxis, columns: WindowAxis] {
  const whole = { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, output: 1 };
  const [first = whole, second] = spatialAxes(node);
  return second === undefined ? [whole, first] : [first, second];
}

function imagesOf(node: NodeFacts, l: Lowering): { readonly x: View; readonly y: View } {
  const x = l.withLanes(l.view(node.required(0)), 1, true);
  const y = l.allocate(node.output(), channelsLast(x.dims.length), { whole: true });
  return { x: asImage(x), y: asImage(y) };
}

function batchAxis(x: View, y: View): Axis {
  return { count: sizeAt(y, 0), steps: [stepAt(x, 0), stepAt(y, 0)] };
}

function vectorAxis(y: View): Axis {
  return { count: vectorsOf(sizeAt(y, 1)), steps: [vectorBytes, vectorBytes] };
}

export const maxPoolRow = poolRow("max");
export const averagePoolRow = poolRow("sum");

function globalRow(fold: Fold): LoweringRow {
  return {
    refuse(node) {
      const rank = node.dims(0).length;
      return rank < 3 || rank > 4 ? "pools over one or two axes are compiled" : undefined;
    },
    lower(node, l) {
      const { x, y } = imagesOf(node, l);
      const [height, width] = [sizeAt(x, 2), sizeAt(x, 3)];
      l.plan.step(
        reduce,
        {
          axes: collapsed([batchAxis(x, y), vectorAxis(y)]),
          taps: collapsed([
            { count: height, steps: [stepAt(x, 2)] },
            { count: width, steps: [stepAt(x, 3)] },
          ]),
          fold,
          after: fold === "sum" ? [dividedBy(height * width)] : [],
        },
        [x.place, y.place],
      );
    },
  };
}

export const globalAverageRow = globalRow("sum");
export const globalMaxRow = globalRow("max");
