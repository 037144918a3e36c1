import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { placesOf, type WindowAxis } from "../families/window.js";
import type { Backward } from "./backward.js";
import type { Emitter } from "./emitter.js";
import { placed } from "./placement.js";

/** Less than any element: what is padded is never the largest. */
const lowest = -3.4e38;

/**
 * MaxPool: each window's cotangent goes to the first of its largest elements and to no other, as in PyTorch. Elements
 * are often equal (zeros after a Relu): to give each of them the cotangent, or a share, would be another gradient.
 */
export function largestOf(backward: Backward, axes: readonly WindowAxis[]): ValueId {
  const tiles = axes.every(
    ({ size, kernel, stride, dilation, before, output }) =>
      kernel === stride &&
      dilation === 1 &&
      before === 0 &&
      Number(output) * stride <= Number(size),
  );
  if (tiles) return byTiles(backward, axes);
  // WebGPU has no kernel that gives indices; and those of column-major order are counted otherwise.
  const counted = backward.attributes.int("storage_order", 0) === 0;
  return counted && backward.emit.engine !== "webgpu"
    ? byIndices(backward, axes)
    : byTaps(backward, axes);
}

/** MaxPool itself says where the largest were: flat positions in X. */
function byIndices(backward: Backward, axes: readonly WindowAxis[]): ValueId {
  const { emit } = backward;
  const dims = backward.dims(0);
  const dY = backward.cotangent();
  const count = [elementCount(emit.shape(dY))];
  const overlap = axes.some(
    ({ kernel, stride, dilation }) => (Number(kernel) - 1) * dilation >= stride,
  );
  const scattered = emit.node(
    "ScatterElements",
    [
      emit.zeros([elementCount(dims)], dY),
      emit.reshape(backward.output(1), count),
      emit.reshape(dY, count),
    ],
    { axis: attribute.int(0), ...(overlap && { reduction: attribute.string("add") }) },
  );
  return emit.reshape(scattered, dims);
}

/** What each of these has of the cotangent of the largest of them: the first that equals it takes all. */
function shares(
  emit: Emitter,
  places: readonly ValueId[],
  largest: ValueId,
  cotangent: ValueId,
): readonly ValueId[] {
  let left = cotangent;
  return places.map((seen, index) => {
    const [from, most] = [left, largest].map((value) => emit.reshape(value, emit.shape(seen)));
    if (from === undefined || most === undefined) return left;
    // One of them is the largest: if none before, then the last.
    if (index === places.length - 1) return from;
    const share = emit.masked(from, emit.node("Equal", [seen, most]));
    left = emit.subtract(from, share);
    return share;
  });
}

/**
 * Windows side by side are looked at axis by axis: from the last axis to the first the largest along each, of what was
 * the largest before; then back, the first place that equals what came of it has all. No elements are picked one by one,
 * which engines do slowly.
 */
function byTiles(backward: Backward, axes: readonly WindowAxis[]): ValueId {
  const { emit } = backward;
  const dims = backward.dims(0);
  const outputs = axes.map(({ output }) => Number(output));
  const kernel = axes.map(({ kernel: size }) => Number(size));
  const covered = outputs.map((count, axis) => count * (kernel[axis] ?? 1));
  const spatial = axes.map((_, axis) => axis + 2);
  const [zeros, ones] = [axes.map(() => 0), axes.map(() => 1)];
  let largest = emit.slice(backward.input(0), spatial, zeros, covered, ones);
  const stages: { readonly places: readonly ValueId[]; readonly largest: ValueId }[] = [];
  for (const [axis, size] of [...kernel.entries()].reverse()) {
    const places = apart(emit, largest, size, elementCount(outputs.slice(axis + 1)));
    largest = axis === 0 ? backward.output(0) : emit.node("Max", places);
    stages.unshift({ places, largest });
  }
  let given = backward.cotangent();
  for (const { places, largest: most } of stages)
    given = together(emit, shares(emit, places, most, given));
  const tiles = emit.reshape(given, [...dims.slice(0, 2), ...covered]);
  // What no window reaches at the end.
  const rest = covered.map((size, axis) => (dims[axis + 2] ?? 1) - size);
  return emit.pad(tiles, [0, 0, ...zeros], [0, 0, ...rest]);
}

/** A value for each place along one axis of windows: [windows, behind], where `behind` elements lie behind one another. */
function apart(emit: Emitter, x: ValueId, kernel: number, behind: number): readonly ValueId[] {
  const windows = elementCount(emit.shape(x)) / kernel / behind;
  const sizes = Array.from({ length: kernel }, () => 1);
  // Single elements are moved apart all at once; rows are copied as they are.
  const cut =
    behind === 1
      ? emit.split(emit.swap(emit.reshape(x, [windows, kernel])), 0, sizes)
      : emit.split(emit.reshape(x, [windows, kernel, behind]), 1, sizes);
  return cut.map((part) => emit.reshape(part, [windows, behind]));
}

/** The other way round: all elements, in the order of x. */
function together(emit: Emitter, places: readonly ValueId[]): ValueId {
  const [[windows = 1, behind = 1] = []] = places.map((place) => emit.shape(place));
  const parts = (dims: readonly number[]) => places.map((place) => emit.reshape(place, dims));
  return behind === 1
    ? emit.swap(emit.concat(parts([1, windows]), 0))
    : emit.concat(parts([windows, 1, behind]), 1);
}

/** Windows that overlap: each tap's shares are put where it looked, and all are added. */
function byTaps(backward: Backward, axes: readonly WindowAxis[]): ValueId {
  const { emit } = backward;
  const dims = backward.dims(0);
  // With ceil_mode the last window reaches beyond the padding.
  const sizes = axes.map(({ size, before, after, output, stride, kernel, dilation }) =>
    Math.max(
      Number(size) + Number(before) + Number(after),
      (Number(output) - 1) * stride + (Number(kernel) - 1) * dilation + 1,
    ),
  );
  const before = axes.map((axis) => Number(axis.before));
  const after = axes.map((axis, at) => (sizes[at] ?? 0) - Number(axis.size) - Number(axis.before));
  const padded = emit.pad(backward.input(0), [0, 0, ...before], [0, 0, ...after], lowest);
  const places = placesOf(axes.map(({ kernel }) => Number(kernel)));
  const seen = places.map((place) => {
    const starts = place.map((at, axis) => at * (axes[axis]?.dilation ?? 1));
    const ends = axes.map(
      ({ output, stride }, axis) => (starts[axis] ?? 0) + (Number(output) - 1) * stride + 1,
    );
    const spatial = axes.map((_, axis) => axis + 2);
    return emit.slice(
      padded,
      spatial,
      starts,
      ends,
      axes.map(({ stride }) => stride),
    );
  });
  const given = shares(emit, seen, backward.output(0), backward.cotangent());
  const spread = given.map((share, tap) =>
    axes.reduce((value, { stride, dilation, output }, at) => {
      const start = (places[tap]?.[at] ?? 0) * dilation;
      const positions = Array.from({ length: Number(output) }, (_, i) => start + i * stride);
      return placed(emit, value, at + 2, positions, sizes[at] ?? 1);
    }, share),
  );
  const sum = spread.reduce((total, value) => emit.add(total, value));
  return emit.slice(
    sum,
    axes.map((_, axis) => axis + 2),
    before,
    before.map((start, axis) => start + (dims[axis + 2] ?? 1)),
    axes.map(() => 1),
  );
}
