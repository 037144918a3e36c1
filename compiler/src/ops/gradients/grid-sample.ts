import { elementCount } from "@pare/runtime/format";
import { type ValueId } from "../../ir/index.js";
import {
  cubicFactors,
  endsOf,
  firstTap,
  type GridSampling,
  gridSampling,
  tapCount,
} from "../families/grid-sample.js";
import type { Emitter } from "./emitter.js";
import type { Forward } from "./forward.js";

/** One of the places along an axis of which a sample is made: its index, an integer, and how much of it there is. */
interface Tap {
  readonly index: ValueId;
  /** Undefined where it is 1. */
  readonly weight: ValueId | undefined;
}

/** GridSample as rows that are gathered and weighted: of images, and of volumes alike. */
export function sampledByRows(forward: Forward): readonly ValueId[] {
  const { emit } = forward;
  const sampling = gridSampling(forward.attributes);
  if (sampling === undefined) throw forward.unsupported("it samples in another way");
  const [batch = 1, channels = 1, ...space] = forward.dims(0);
  const places = forward.dims(1).slice(1, -1);
  const [inner, count] = [elementCount(space), elementCount(places)];
  const taps = space.map((size, axis) => {
    // The grid's last axis names the innermost axis first.
    const at = space.length - 1 - axis;
    const own = emit.slice(forward.input(1), [places.length + 1], [at], [at + 1], [1]);
    return tapsOf(emit, sampling, emit.reshape(own, [batch, count]), size);
  });
  // A row has the channels of a place.
  const placesFirst = emit.transpose(emit.reshape(forward.input(0), [batch, channels, inner]), [0, 2, 1]); // prettier-ignore
  const rows = emit.reshape(placesFirst, [batch * inner, channels]);
  const first = emit.reshape(emit.integers(Array.from({ length: batch }, (_, n) => n * inner)), [
    batch,
    1,
  ]);
  const sum = corners(taps).map((corner) => {
    const row = corner.reduce(
      (index, tap, axis) =>
        emit.add(index, scaled(emit, tap.index, elementCount(space.slice(axis + 1)))),
      first,
    );
    const weight = product(emit, corner);
    const taken = emit.node("Gather", [rows, row]);
    return weight === undefined
      ? taken
      : emit.multiply(taken, emit.reshape(weight, [batch, count, 1]));
  });
  const sampled = emit.transpose(sum.reduce((a, b) => emit.add(a, b)), [0, 2, 1]); // prettier-ignore
  return [emit.reshape(sampled, [batch, channels, ...places])];
}

/** One tap of each axis, in every way. */
function corners(axes: readonly (readonly Tap[])[]): readonly (readonly Tap[])[] {
  return axes.reduce<readonly (readonly Tap[])[]>(
    (chosen, taps) => chosen.flatMap((outer) => taps.map((tap) => [...outer, tap])),
    [[]],
  );
}

function product(emit: Emitter, corner: readonly Tap[]): ValueId | undefined {
  return corner
    .map(({ weight }) => weight)
    .reduce((a, b) => (a === undefined || b === undefined ? (a ?? b) : emit.multiply(a, b)));
}

function scaled(emit: Emitter, index: ValueId, stride: number): ValueId {
  return stride === 1 ? index : emit.multiply(index, emit.integers([stride]));
}

/** Of coordinates between −1 and 1, and beyond. */
function tapsOf(
  emit: Emitter,
  sampling: GridSampling,
  coordinates: ValueId,
  size: number,
): readonly Tap[] {
  const { mode, padding, aligned } = sampling;
  const half = emit.scale(coordinates, (aligned ? size - 1 : size) / 2);
  const unbound = emit.shift(half, (size - 1) / 2);
  const isMirrored = padding === "reflection";
  const point = isMirrored ? reflected(emit, unbound, sampling, size) : unbound;
  const before = emit.node(mode === "nearest" ? "Round" : "Floor", [point]);
  const weights = mode === "nearest" ? [] : weightsOf(emit, mode, emit.subtract(point, before));
  return Array.from({ length: tapCount[mode] }, (_, at): Tap => {
    const index = emit.shift(before, firstTap[mode] + at);
    const weight = weights[at];
    const seen =
      isMirrored && mode === "cubic"
        ? emit.node("Round", [reflected(emit, index, sampling, size)])
        : index;
    const within = emit.node("Clip", [seen, emit.scalar(0, seen), emit.scalar(size - 1, seen)]);
    const whole = emit.cast(within, "int64");
    if (padding !== "zeros") return { index: whole, weight };
    const isInside = emit.cast(emit.node("Equal", [within, index]), emit.dtype(index));
    return { index: whole, weight: weight === undefined ? isInside : emit.multiply(weight, isInside) }; // prettier-ignore
  });
}

/** How much of each place there is in a point that lies so far beyond one of them. */
function weightsOf(emit: Emitter, mode: "linear" | "cubic", share: ValueId): readonly ValueId[] {
  if (mode === "linear") return [emit.shift(emit.negate(share), 1), share];
  return cubicFactors.map(([a, b, c, d]) => {
    const slope = emit.shift(emit.multiply(share, emit.shift(emit.scale(share, d), c)), b);
    return emit.shift(emit.multiply(share, slope), a);
  });
}

/** Thrown back at both ends of an axis as often as needed. */
function reflected(emit: Emitter, x: ValueId, sampling: GridSampling, size: number): ValueId {
  const { least, range } = endsOf(sampling, size);
  if (range === 0) return emit.scale(x, 0);
  // There and back again is a period.
  const periods = emit.scale(emit.shift(x, -least), 0.5 / range);
  const within = emit.subtract(periods, emit.node("Floor", [periods]));
  const fromFarEnd = emit.node("Abs", [emit.shift(emit.scale(within, 2 * range), -range)]);
  return emit.shift(emit.negate(fromFarEnd), least + range);
}
