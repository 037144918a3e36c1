import {
  type AxisResize,
  axisWeights,
  interpolationOf,
  wholeWithin,
} from "../../ops/families/interpolation.js";
import { axesOf as resizedAxes, bySizes } from "../../ops/families/resize.js";
import { interpolate } from "../kernels/interpolate.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { channelsLast, rowMajor, sizeAt, sliced, stepAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planFill } from "./move.js";
import { movementRow } from "./movement.js";
import type { NodeFacts } from "./node-facts.js";

/** Every element along an axis has weights of its own. */
const mostAlong = 2 ** 20;

/** The nearest element is only moved. Between elements, and of crops, one axis after the other is a weighted sum. */
export const resizeRow: LoweringRow = {
  refuse(node) {
    if (interpolationOf(node.attributes) === undefined) return "its mode is not known";
    if ([1, 2, 3].some((at) => node.input(at) !== undefined && node.numbers(at) === undefined))
      return "regions, sizes and scales must be constant";
    if (isAmbiguous(node))
      return "what becomes of an axis that is scaled to no whole size differs from engine to engine: give it sizes";
    if (isMoved(node)) return movementRow.refuse?.(node);
    const rank = node.dims(0).length;
    const isImage = rank === 3 || rank === 4;
    if ([...node.dims(0), ...node.outputDims()].some((size) => size > mostAlong))
      return `axes of more than ${mostAlong} elements are not resized between elements`;
    return isImage && isUnchanged(node, 0) && isUnchanged(node, 1)
      ? undefined
      : "only one or two axes of images are resized between elements";
  },
  lower(node, l) {
    if (isMoved(node)) return movementRow.lower(node, l);
    const rank = node.dims(0).length;
    const changed = rowMajor(rank).filter((axis) => axis >= 2 && !isUnchanged(node, axis));
    let x = l.withLanes(l.view(node.required(0)), 1, true);
    const [order, sizes] = [channelsLast(rank), node.outputDims()];
    for (const [at, axis] of changed.entries()) {
      const isLast = at === changed.length - 1;
      const dims = x.dims.map((size, other) => (other === axis ? (sizes[axis] ?? 1) : size));
      const y = isLast
        ? l.allocate(node.output(), order, { whole: true })
        : l.temporary(dims, { order, padded: true, halo: [] }, "resized");
      resizeAxis(node, l, x, y, axis);
      x = y;
    }
    if (changed.length === 0) l.set(node.output(), x);
    for (const axis of changed) fillOutside(node, l, x, axis);
  },
};

/** Of a crop some places may show nothing of the input: they are numbers of their own. */
function isMoved(node: NodeFacts): boolean {
  const { attributes } = node;
  return attributes.string("mode", "nearest") === "nearest" && !isCrop(node);
}

function isCrop({ attributes }: NodeFacts): boolean {
  return attributes.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";
}

/**
 * Corners are those of the size as it is multiplied, as the standard has it, or as it is rounded, as engines have it. And
 * where that leaves every size as it was, engines look no further. Of a crop they leave an axis whole whose size stays.
 */
function isAmbiguous(node: NodeFacts): boolean {
  const places = node.attributes.string("coordinate_transformation_mode", "half_pixel");
  const axes = rowMajor(node.dims(0).length).map((axis) => resizeOf(node, axis));
  const isWhole = axes.every(
    ({ from, size, scale }) => Math.abs(scale * from - size) < wholeWithin,
  );
  const isAsItWas = axes.every(({ from, size }) => from === size);
  const leavesCrop = axes.some(
    ({ from, size, roi: [start, end] }) => from === size && (start !== 0 || end !== 1),
  );
  if (places === "tf_crop_and_resize" && leavesCrop) return true;
  return !isWhole && (isAsItWas || places === "align_corners" || places === "tf_crop_and_resize");
}

/** An axis: its size, the factor between it and the result's, the region of it that is shown. */
function resizeOf(node: NodeFacts, axis: number): AxisResize {
  const dims = node.dims(0);
  const axes = resizedAxes(node.attributes, dims.length);
  const at = axes.indexOf(axis);
  const [from, size] = [dims[axis] ?? 1, node.outputDims()[axis] ?? 1];
  const sizes = node.numbers(3) ?? [];
  const scale =
    sizes.length > 0
      ? bySizes(dims, sizes, axes, node.attributes)[axis]?.scale
      : node.numbers(2)?.[at];
  const region = isCrop(node) && at >= 0 ? (node.numbers(1) ?? []) : [];
  return { from, size, scale: scale ?? 1, roi: [region[at] ?? 0, region[at + axes.length] ?? 1] };
}

function isUnchanged(node: NodeFacts, axis: number): boolean {
  const { from, size, scale, roi } = resizeOf(node, axis);
  return from === size && scale === 1 && roi[0] === 0 && roi[1] === 1;
}

function placesOf(node: NodeFacts, axis: number): ReturnType<typeof axisWeights> {
  const interpolation = interpolationOf(node.attributes);
  if (interpolation === undefined) throw node.fault("has a mode that is not known");
  return axisWeights(interpolation, resizeOf(node, axis));
}

function fillOutside(node: NodeFacts, l: Lowering, y: View, axis: number): void {
  const outside = node.attributes.float("extrapolation_value", 0);
  placesOf(node, axis).forEach((place, at) => {
    if (place === undefined) planFill(l.plan, sliced(y, axis, at, 1), outside);
  });
}

function resizeAxis(node: NodeFacts, l: Lowering, x: View, y: View, axis: number): void {
  const size = sizeAt(y, axis);
  const places = placesOf(node, axis);
  const taps = places.reduce((most, place) => Math.max(most, place?.length ?? 0), 1);
  const table = new Int32Array(places.length * 2 * taps);
  const weights = new Float32Array(table.buffer);
  places.forEach((place, at) =>
    place?.forEach(({ index, weight }, tap) => {
      table[at * 2 * taps + tap] = index * stepAt(x, axis);
      weights[at * 2 * taps + taps + tap] = weight;
    }),
  );
  // What lies within the axis and without gaps is one run of vectors: a row of pixels, or the channels of one.
  const vectors = vectorsOf(sizeAt(y, 1));
  const around = channelsLast(x.dims.length).filter((other) => other !== axis && other !== 1);
  const loops = (axes: readonly number[]): Axis[] =>
    axes.map((other) => ({ count: sizeAt(y, other), steps: [stepAt(x, other), stepAt(y, other)] }));
  const inner = collapsed([
    ...loops(around.filter((other) => other > axis)),
    { count: vectors, steps: [vectorBytes, vectorBytes] },
  ]);
  const [run, ...more] = inner;
  const isRun =
    run !== undefined && more.length === 0 && run.steps.every((step) => step === vectorBytes);
  const outside = around.filter((other) => other < axis || !isRun);
  l.plan.step(
    interpolate,
    {
      axes: collapsed(loops(outside)),
      places: { count: size, step: stepAt(y, axis) },
      taps,
      vectors: isRun ? run.count : vectors,
    },
    [x.place, y.place, l.plan.constant(table)],
  );
}
