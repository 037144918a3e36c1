import { axisWeights, interpolationOf } from "../../ops/families/interpolation.js";
import { interpolate } from "../kernels/interpolate.js";
import { vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { channelsLast, sizeAt, stepAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { movementRow } from "./movement.js";
import type { NodeFacts } from "./node-facts.js";

/** The nearest element is only moved. Between elements, one axis after the other is a weighted sum. */
export const resizeRow: LoweringRow = {
  refuse(node) {
    if (isNearest(node)) return movementRow.refuse?.(node);
    const interpolation = interpolationOf(node.attributes);
    if (interpolation === undefined) return "its mode is not known";
    if (interpolation.transformation === "tf_crop_and_resize") return "crops are not compiled";
    if ([1, 2, 3].some((at) => node.input(at) !== undefined && node.numbers(at) === undefined))
      return "sizes and scales must be constant";
    const policy = node.attributes.string("keep_aspect_ratio_policy", "stretch");
    if (policy !== "stretch") return "kept aspect ratios are not compiled";
    const [x, y] = [node.dims(0), node.outputDims()];
    const isImage = x.length === 3 || x.length === 4;
    return isImage && x[0] === y[0] && x[1] === y[1]
      ? undefined
      : "only one or two axes of images are resized between elements";
  },
  lower(node, l) {
    if (isNearest(node)) return movementRow.lower(node, l);
    const rank = node.dims(0).length;
    const changed = node
      .outputDims()
      .flatMap((size, axis) => (axis >= 2 && !isUnchanged(node, axis, size) ? [axis] : []));
    let x = l.withLanes(l.view(node.required(0)), 1, true);
    for (const [at, axis] of changed.entries()) {
      const isLast = at === changed.length - 1;
      const dims = x.dims.map((size, other) =>
        other === axis ? (node.outputDims()[axis] ?? 1) : size,
      );
      const layout = { order: channelsLast(rank), padded: true, halo: [] };
      const y = isLast
        ? l.allocate(node.output(), channelsLast(rank), { whole: true })
        : l.temporary(dims, layout, "resized");
      resizeAxis(node, l, x, y, axis);
      x = y;
    }
    if (changed.length === 0) l.set(node.output(), x);
  },
};

function isNearest(node: NodeFacts): boolean {
  return node.attributes.string("mode", "nearest") === "nearest";
}

function scaleOf(node: NodeFacts, axis: number): number {
  const axes = node.attributes.ints("axes");
  const rank = node.dims(0).length;
  const at = axes?.map((one) => (one < 0 ? one + rank : one)).indexOf(axis) ?? axis;
  const given = node.numbers(2)?.[at];
  return given ?? (node.outputDims()[axis] ?? 1) / (node.dims(0)[axis] ?? 1);
}

function isUnchanged(node: NodeFacts, axis: number, size: number): boolean {
  return size === node.dims(0)[axis] && scaleOf(node, axis) === 1;
}

function resizeAxis(node: NodeFacts, l: Lowering, x: View, y: View, axis: number): void {
  const interpolation = interpolationOf(node.attributes);
  if (interpolation === undefined) throw node.fault("has a mode that is not known");
  const [from, size] = [sizeAt(x, axis), sizeAt(y, axis)];
  const places = axisWeights(interpolation, {
    from,
    size,
    scale: scaleOf(node, axis),
    roi: [0, 1],
  });
  const taps = Math.max(...places.map((place) => place?.length ?? 0));
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
