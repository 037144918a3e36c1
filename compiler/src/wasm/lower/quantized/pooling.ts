import type { ValueId } from "../../../ir/index.js";
import type { WindowAxis } from "../../../ops/families/window.js";
import { largestI8 } from "../../kernels/largest-i8.js";
import { meanI8 } from "../../kernels/mean-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import { mostRounded, type Result } from "../../kernels/rounding-i8.js";
import { placeAt } from "../../plan/plan.js";
import { channelsLast, type Halo, noHalo, sizeAt, stepAt, type View } from "../../plan/view.js";
import { framedSize } from "../framed-pool.js";
import { asImage } from "../image.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { imageAxes, type PoolPart, poolParts } from "../pooling.js";
import { allocateBytes, bordered, newBytes } from "./bytes.js";
import { type Encoded, encodedBy, farthest } from "./quantization.js";
import { roundedResult } from "./rounded-result.js";

/** The largest bytes of windows: of unsigned bytes of one scale they stand for the largest numbers. */
export function poolBytes(node: NodeFacts, l: Lowering): void {
  const axes = imageAxes(node);
  const parts = poolParts(axes, false);
  const y = asImage(allocateBytes(l, node.output(), { order: channelsLast(node.dims(0).length) }));
  if (parts === undefined) return planFramedLargest(l, l.view(node.required(0)), y, axes);
  const x = imageOf(l, node.required(0));
  for (const part of parts) planLargest(l, x, y, part);
}

function planLargest(l: Lowering, x: View, y: View, part: PoolPart): void {
  const [input, output] = [placeIn(x, part.from), placeIn(y, part.to)];
  l.plan.step(largestI8, { ...loopsOf(x, y, part), run: sizeAt(y, 1) }, [input, output]);
}

/** As of floats (`planFramedPool`): in a frame of zeros the largest of rows, then of the columns of what that gave. */
function planFramedLargest(
  l: Lowering,
  image: View,
  y: View,
  [rows, columns]: readonly [WindowAxis, WindowAxis],
): void {
  const [top, left] = [Number(rows.before), Number(columns.before)];
  const [height, width] = [framedSize(rows), framedSize(columns)];
  const around: readonly Halo[] = [
    [top, height - top - Number(rows.size)],
    [left, width - left - Number(columns.size)],
  ];
  const x = bordered(l, asImage(image), [noHalo, noHalo, ...around], 0);
  const dims = [sizeAt(x, 0), sizeAt(x, 1), height, sizeAt(y, 3)];
  const layout = { order: channelsLast(4), halo: [], border: 0 };
  const between = newBytes(l, dims, layout, "largest of rows");
  planLargest(l, x, between, {
    ...onePart,
    from: [-top, -left],
    count: [height, sizeAt(y, 3)],
    strides: [1, columns.stride],
    dilations: [1, columns.dilation],
    taps: [1, Number(columns.kernel)],
  });
  planLargest(l, between, y, {
    ...onePart,
    count: [sizeAt(y, 2), sizeAt(y, 3)],
    strides: [rows.stride, 1],
    dilations: [rows.dilation, 1],
    taps: [Number(rows.kernel), 1],
  });
}

/** Means of windows of bytes, few enough, as bytes or as floats. @returns whether they are means of bytes */
export function averageBytes(node: NodeFacts, l: Lowering): boolean {
  const encoded = encodedBy(l.graph, node.input(0));
  const rank = node.dims(0).length;
  if (encoded === undefined || rank < 3 || rank > 4) return false;
  const parts =
    node.node.op === "GlobalAveragePool"
      ? [wholeOf(node.dims(0))]
      : poolParts(imageAxes(node), node.attributes.int("count_include_pad", 0) !== 0);
  const areSmall = parts?.every(({ taps }) => farthest(encoded) * taps[0] * taps[1] < mostSum);
  if (parts === undefined || areSmall !== true) return false;
  planMeans(node, l, encoded, parts);
  return true;
}

/** Sums must stay within 32 bits. */
const mostSum = 2 ** 31;

const onePart = {
  from: [0, 0],
  to: [0, 0],
  count: [1, 1],
  strides: [1, 1],
  dilations: [1, 1],
  counted: 1,
} as const;

/** All of an image as one window. */
function wholeOf(dims: readonly number[]): PoolPart {
  const [, , first = 1, second] = dims;
  const taps = second === undefined ? ([1, first] as const) : ([first, second] as const);
  return { ...onePart, taps, counted: taps[0] * taps[1] };
}

function planMeans(
  node: NodeFacts,
  l: Lowering,
  { bytes, scale, zeroPoint }: Encoded,
  parts: readonly PoolPart[],
): void {
  const rounded = roundedResult(l, node.output());
  rounded?.nodes.forEach((each) => l.absorbed.add(each));
  const x = imageOf(l, bytes);
  const wide = rounded !== undefined && (255 * scale) / rounded.scale >= mostRounded;
  const result: Result =
    rounded === undefined ? { kind: "floats" } : { kind: "bytes", ...rounded.rounding, wide };
  const order = channelsLast(node.dims(0).length);
  const y = asImage(
    rounded === undefined
      ? l.allocate(node.output(), order, { exact: true })
      : allocateBytes(l, rounded.bytes, { order }),
  );
  for (const part of parts) {
    const step = rounded === undefined ? scale : scale / rounded.scale;
    const options = {
      ...loopsOf(x, y, part),
      run: sizeAt(y, 1),
      start: -zeroPoint * part.taps[0] * part.taps[1],
      factor: Math.fround(step / part.counted),
      result,
    };
    l.plan.step(meanI8, options, [placeIn(x, part.from), placeIn(y, part.to)]);
  }
}

function imageOf(l: Lowering, id: ValueId): View {
  return asImage(bordered(l, l.view(id), [], 0));
}

function placeIn(view: View, [row, column]: readonly [number, number]): View["place"] {
  return placeAt(view.place, row * stepAt(view, 2) + column * stepAt(view, 3));
}

function loopsOf(
  x: View,
  y: View,
  { count, strides, taps, dilations }: PoolPart,
): { readonly axes: readonly Axis[]; readonly taps: readonly Axis[] } {
  return {
    axes: collapsed([
      { count: sizeAt(y, 0), steps: [stepAt(x, 0), stepAt(y, 0)] },
      { count: count[0], steps: [strides[0] * stepAt(x, 2), stepAt(y, 2)] },
      { count: count[1], steps: [strides[1] * stepAt(x, 3), stepAt(y, 3)] },
    ]),
    taps: collapsed([
      { count: taps[0], steps: [dilations[0] * stepAt(x, 2)] },
      { count: taps[1], steps: [dilations[1] * stepAt(x, 3)] },
    ]),
  };
}
