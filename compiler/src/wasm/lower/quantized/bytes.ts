import type { Node, ValueId } from "../../../ir/index.js";
import { borderI8 } from "../../kernels/border-i8.js";
import { fill } from "../../kernels/fill.js";
import { inFours, laneCount } from "../../kernels/kernel.js";
import { collapsed } from "../../kernels/nest.js";
import { type Place, placeAt } from "../../plan/plan.js";
import {
  channelsLast,
  type Halo,
  noHalo,
  rowMajor,
  sizeAt,
  stepAt,
  type View,
  viewOf,
} from "../../plan/view.js";
import { asImage } from "../image.js";
import { convolutionHalo } from "../convolution-halo.js";
import type { Lowering } from "../lowering.js";
import { planMove } from "../move.js";
import { NodeFacts } from "../node-facts.js";
import { isPlain, stepsOf } from "./quantization.js";

/** The byte around an image, or where a run finds it. */
export type Border = number | Place;

/** How new bytes are to lie. */
interface ByteLayout {
  /** Axes, the outermost in memory first. */
  readonly order: readonly number[];
  /** What is around them, and how much of it, by axis. */
  readonly halo: readonly Halo[];
  readonly border: Border;
  /** Nothing lies between one pixel's channels, or one row's elements, and the next. */
  readonly exact?: boolean;
}

/**
 * Memory for bytes. The innermost axis is filled up to a multiple of four: whoever reads further has weights of zero for
 * it. Borders are written here and now.
 */
export function newBytes(
  l: Lowering,
  dims: readonly number[],
  { order, halo, border, exact = false }: ByteLayout,
  name: string,
): View {
  const steps: number[] = dims.map(() => 0);
  let [step, first] = [1, 0];
  [...order].reverse().forEach((axis, depth) => {
    const [before, after] = halo[axis] ?? noHalo;
    steps[axis] = step;
    first += before * step;
    const size = before + (dims[axis] ?? 1) + after;
    step *= depth === 0 && !exact ? inFours(size) : size;
  });
  const place = placeAt(l.plan.memory(step, name), first);
  const view = viewOf(place, dims, steps, {
    element: "u8",
    halo: dims.map((_, axis) => halo[axis] ?? noHalo),
    lanes: order.at(-1) ?? 0,
  });
  l.borders.set(place.in, border);
  planBorder(l, asImage(view), border);
  return view;
}

/** Memory for a value of bytes that a kernel is about to write, with what convolutions that read it want around it. */
export function allocateBytes(
  l: Lowering,
  id: ValueId,
  { exact = false, order }: Partial<Pick<ByteLayout, "exact" | "order">> = {},
): View {
  const dims = l.dims(id);
  const own = order ?? wantedOrder(l, id, dims.length);
  const isImage = own.join() === channelsLast(dims.length).join();
  // Rows are copied by who wants something around them.
  const around = isImage ? wantedBorder(l, id, dims.length) : noBorder;
  const view = newBytes(l, dims, { order: own, ...around, exact }, l.graph.value(id).name);
  l.set(id, view);
  return view;
}

/** Whole groups of four lanes may be written. */
export function hasWholeFours(view: View): boolean {
  const inner = view.lanes;
  const size = sizeAt(view, inner);
  if (size % laneCount === 0) return true;
  const others = view.steps.filter((step, axis) => axis !== inner && sizeAt(view, axis) > 1);
  return others.every((step) => step >= inFours(size));
}

/** The bytes with so much of a border around them, channels next to one another; copied where they do not lie so. */
export function bordered(l: Lowering, view: View, pads: readonly Halo[], border: Border): View {
  const hasPads = pads.every(([before, after], axis) => {
    if (before === 0 && after === 0) return true;
    const [b, a] = view.halo[axis] ?? noHalo;
    return b >= before && a >= after && l.borders.get(view.place.in) === border;
  });
  const isOrdered = stepAt(view, 1) === 1 || sizeAt(view, 1) === 1;
  if (hasPads && isOrdered) return view;
  const order = channelsLast(view.dims.length);
  const target = newBytes(l, view.dims, { order, halo: pads, border }, "bordered");
  planMove(l.plan, view.place, view.steps, target);
  return target;
}

/** The bytes row-major, without gaps. */
export function denseBytes(l: Lowering, view: View): View {
  return l.copied(view, { order: rowMajor(view.dims.length), padded: false, halo: [] });
}

/** The nodes that read a value of bytes as numbers. */
function readersOf(l: Lowering, id: ValueId): readonly Node[] {
  return l.graph.consumers(id).flatMap((decoder) => {
    const [output] = decoder.outputs;
    const isRead = isPlain(decoder, "DequantizeLinear") && output !== null && output !== undefined;
    return isRead ? l.graph.consumers(output) : [];
  });
}

/** Channels innermost, unless all that reads it are products of rows. */
function wantedOrder(l: Lowering, id: ValueId, rank: number): readonly number[] {
  const readers = readersOf(l, id);
  const areProducts = readers.every(
    (reader) => isPlain(reader, "MatMul") || isPlain(reader, "Gemm"),
  );
  return readers.length > 0 && areProducts ? rowMajor(rank) : channelsLast(rank);
}

const noBorder: Pick<ByteLayout, "halo" | "border"> = { halo: [], border: 0 };

function wantedBorder(l: Lowering, id: ValueId, rank: number): Pick<ByteLayout, "halo" | "border"> {
  const halo: [number, number][] = Array.from({ length: rank }, () => [0, 0]);
  const borders = new Set<number>();
  for (const decoder of l.graph.consumers(id)) {
    const [output] = decoder.outputs;
    if (!isPlain(decoder, "DequantizeLinear") || output === null || output === undefined) continue;
    for (const reader of l.graph.consumers(output)) {
      if (!isPlain(reader, "Conv") || reader.inputs[0] !== output) continue;
      const steps = stepsOf(l.graph, decoder);
      if (steps === undefined) continue;
      borders.add(steps.zeroPoint);
      convolutionHalo(new NodeFacts(l.graph, reader)).forEach(([before, after], at) => {
        const own = halo[at + 2];
        if (own === undefined) return;
        own[0] = Math.max(own[0], before);
        own[1] = Math.max(own[1], after);
      });
    }
  }
  const [border, ...more] = borders;
  return border === undefined || more.length > 0 ? noBorder : { halo, border };
}

/** Writes the border: what is before an image, between the end of a row and the next row's begin, and behind it. */
function planBorder(l: Lowering, view: View, border: Border): void {
  const [top, bottom] = view.halo[2] ?? noHalo;
  const [left, right] = view.halo[3] ?? noHalo;
  const [height, width] = [sizeAt(view, 2), sizeAt(view, 3)];
  const pixel = stepAt(view, 3);
  const row = pixel * (left + width + right);
  const parts = [
    { at: -top * row - left * pixel, run: top * row + left * pixel, count: 1 },
    { at: width * pixel, run: (right + left) * pixel, count: height - 1 },
    {
      at: (height - 1) * row + width * pixel,
      run: right * pixel + bottom * row,
      count: 1,
    },
  ];
  for (const { at, run, count } of parts) {
    if (run === 0 || count === 0) continue;
    const axes = collapsed([
      { count: sizeAt(view, 0), steps: [stepAt(view, 0)] },
      { count, steps: [row] },
    ]);
    const place = placeAt(view.place, at);
    if (typeof border === "number")
      l.plan.step(fill, { element: "u8", axes, run, value: border }, [place]);
    else l.plan.step(borderI8, { axes, run }, [border, place]);
  }
}
