import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import type { WindowAxis } from "../families/window.js";
import type { Backward } from "./backward.js";
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

/** What each tap of every window gets, in the kernel's order: the first that equals the largest takes all. */
function shares(
  backward: Backward,
  x: ValueId,
  axes: readonly WindowAxis[],
): readonly { readonly place: readonly number[]; readonly share: ValueId }[] {
  const { emit } = backward;
  const y = backward.output(0);
  let places: number[][] = [[]];
  for (const { kernel } of axes)
    places = places.flatMap((place) =>
      Array.from({ length: Number(kernel) }, (_, at) => [...place, at]),
    );
  let left = backward.cotangent();
  return places.map((place, index) => {
    // One of them is the largest: if none before, then the last.
    if (index === places.length - 1) return { place, share: left };
    const starts = place.map((at, axis) => at * (axes[axis]?.dilation ?? 1));
    const seen = emit.slice(
      x,
      axes.map((_, axis) => axis + 2),
      starts,
      axes.map(
        ({ output, stride }, axis) => (starts[axis] ?? 0) + (Number(output) - 1) * stride + 1,
      ),
      axes.map(({ stride }) => stride),
    );
    const share = emit.masked(left, emit.node("Equal", [seen, y]));
    left = emit.subtract(left, share);
    return { place, share };
  });
}

/** Windows side by side: the taps' shares are X's elements in another order. */
function byTiles(backward: Backward, axes: readonly WindowAxis[]): ValueId {
  const { emit } = backward;
  const dims = backward.dims(0);
  const [batch = 1, channels = 1] = dims;
  const outputs = axes.map(({ output }) => Number(output));
  const kernel = axes.map(({ kernel }) => Number(kernel));
  const parts = shares(backward, backward.input(0), axes).map(({ share }) =>
    emit.reshape(share, [batch, channels, 1, ...outputs]),
  );
  // Each axis of taps is brought behind its windows' by itself, the last first: engines move one axis at a time in blocks,
  // and several element by element.
  const covered = outputs.map((count, axis) => count * (kernel[axis] ?? 1));
  let woven = emit.concat(parts, 2);
  for (let axis = axes.length - 1; axis >= 0; axis -= 1) {
    const before = elementCount([batch, channels, ...kernel.slice(0, axis)]);
    const windows = elementCount(outputs.slice(0, axis + 1));
    const behind = elementCount(covered.slice(axis + 1));
    const apart = emit.reshape(woven, [before, kernel[axis] ?? 1, windows, behind]);
    woven = emit.transpose(apart, [0, 2, 1, 3]);
  }
  const tiles = emit.reshape(woven, [batch, channels, ...covered]);
  // What no window reaches at the end.
  const rest = covered.map((size, axis) => (dims[axis + 2] ?? 1) - size);
  return emit.pad(tiles, [0, 0, ...rest.map(() => 0)], [0, 0, ...rest]);
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
  const spread = shares(backward, padded, axes).map(({ place, share }) =>
    axes.reduce((value, { stride, dilation, output }, at) => {
      const start = (place[at] ?? 0) * dilation;
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
