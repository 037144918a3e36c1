import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import type { Convolution } from "./convolution-data.js";
import type { Emitter } from "./emitter.js";

/** One place of the kernel, and what it sees of the padded input: an entry for every window. */
interface Taps {
  /** Coordinates in the kernel, in the order in which the kernel lies. */
  readonly places: readonly (readonly number[])[];
  readonly seenAt: (place: readonly number[]) => ValueId;
}

/** Up to so many channels im2col pays: a product for each tap would be a sliver. */
const fewChannels = 4;
/** Up to so many windows in a row, all products of two rows cost less than cutting the row once for each tap. */
const shortRow = 64;

/**
 * dW[m, c, k] = Σ over samples and windows of dY[m, window] · X[c, window · stride + k · dilation], as products of
 * matrices; which, by what they cost on the engines' processors:
 * - few channels: im2col by slices, one product
 * - depthwise, short rows: a product for each row of the kernel, of which diagonals are kept
 * - else: a product for each tap; with one tap (1 × 1) that is one batched product
 * @param dims [M, C / group, …kernel]
 */
export function weightGradient(
  emit: Emitter,
  cotangent: ValueId,
  input: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const { before, after, group } = convolution;
  const padded = emit.pad(input, [0, 0, ...before], [0, 0, ...after]);
  const [outputs = 1, depth = 1] = dims;
  const windows = emit.shape(cotangent).slice(2);
  if (group === 1 && depth <= fewChannels)
    return bySlices(emit, cotangent, padded, dims, convolution);
  if (depth === 1 && outputs === group && windows.length === 2 && (windows[1] ?? 1) <= shortRow)
    return byRows(emit, cotangent, padded, dims, convolution);
  return byTaps(emit, cotangent, padded, dims, convolution);
}

function tapsOf(
  emit: Emitter,
  padded: ValueId,
  windows: readonly number[],
  { kernel, strides, dilations }: Convolution,
): Taps {
  let places: number[][] = [[]];
  for (const size of kernel)
    places = places.flatMap((place) => Array.from({ length: size }, (_, at) => [...place, at]));
  return {
    places,
    seenAt(place) {
      const starts = place.map((at, axis) => at * (dilations[axis] ?? 1));
      const ends = starts.map(
        (start, axis) => start + ((windows[axis] ?? 1) - 1) * (strides[axis] ?? 1) + 1,
      );
      const axes = kernel.map((_, axis) => axis + 2);
      return emit.slice(padded, axes, starts, ends, strides);
    },
  };
}

/** All taps of all channels beside one another: one product with dY. */
function bySlices(
  emit: Emitter,
  cotangent: ValueId,
  padded: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const [batch = 1, outputs = 1, ...windows] = emit.shape(cotangent);
  const [, channels = 1] = emit.shape(padded);
  const count = elementCount(windows);
  const { places, seenAt } = tapsOf(emit, padded, windows, convolution);
  const columns = emit.concat(
    places.map((place) => emit.reshape(seenAt(place), [batch, channels, 1, count])),
    2,
  );
  const flat = emit.reshape(columns, [batch, channels * places.length, count]);
  const dY = emit.reshape(cotangent, [batch, outputs, count]);
  const product = emit.node("MatMul", [dY, emit.swap(flat)]);
  return emit.reshape(emit.sum(product, [0]), dims);
}

/** A product for each tap, groups beside samples. */
function byTaps(
  emit: Emitter,
  cotangent: ValueId,
  padded: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const { group } = convolution;
  const [batch = 1, outputs = 1, ...windows] = emit.shape(cotangent);
  const [, depth = 1] = dims;
  const count = elementCount(windows);
  const groups = group === 1 ? [] : [group];
  const dY = emit.reshape(cotangent, [batch, ...groups, outputs / group, count]);
  const { places, seenAt } = tapsOf(emit, padded, windows, convolution);
  const parts = places.map((place) => {
    const seen = emit.reshape(seenAt(place), [batch, ...groups, depth, count]);
    const product = emit.sum(emit.node("MatMul", [dY, emit.swap(seen)]), [0]);
    return emit.reshape(product, [outputs, depth, 1]);
  });
  return emit.reshape(emit.concat(parts, 2), dims);
}

/**
 * Depthwise, two spatial axes: for each row of the kernel, dYᵀ · X gives the products of every window with every place
 * of its row; those at a tap's distance are summed.
 */
function byRows(
  emit: Emitter,
  cotangent: ValueId,
  padded: ValueId,
  dims: readonly number[],
  { kernel, strides, dilations }: Convolution,
): ValueId {
  const [, channels = 1, rows = 1, columns = 1] = emit.shape(cotangent);
  const width = emit.shape(padded)[3] ?? 1;
  const [height = 1, taps = 1] = kernel;
  const [rowStride = 1, stride = 1] = strides;
  const [rowDilation = 1, dilation = 1] = dilations;
  const diagonals = Array.from({ length: taps * columns }, (_, i) => {
    const window = i % columns;
    return window * width + window * stride + Math.floor(i / columns) * dilation;
  });
  const dY = emit.swap(cotangent);
  const parts = Array.from({ length: height }, (_, row) => {
    const start = row * rowDilation;
    const seen = emit.slice(
      padded,
      [2],
      [start],
      [start + (rows - 1) * rowStride + 1],
      [rowStride],
    );
    const products = emit.sum(emit.node("MatMul", [dY, seen]), [0]);
    const flat = emit.reshape(products, [channels, columns * width]);
    const chosen = emit.node("Gather", [flat, emit.integers(diagonals)], {
      axis: attribute.int(1),
    });
    return emit.sum(emit.reshape(chosen, [channels, taps, columns]), [2]);
  });
  return emit.reshape(emit.concat(parts, 1), dims);
}
