import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { placesOf } from "../families/window.js";
import type { Convolution } from "./convolution-data.js";
import { type Emitter, fewProducts } from "./emitter.js";

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
 * - where the engine convolves by blocks of channels, and samples and outputs fill them, or planes where each has a kernel of
 *   its own: a convolution
 * - few channels: im2col by slices, one product
 * - depthwise, short rows: a product for each row of the kernel, of which diagonals are kept
 * - else: a product for each tap; with one tap (1 × 1) that is one batched product; of planes with zeros between the
 *   windows' rows, where these are few; and with few outputs and long rows, a product for each row of taps
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
  const padded = () => emit.pad(input, [0, 0, ...before], [0, 0, ...after]);
  const [outputs = 1, depth = 1] = dims;
  const windows = emit.shape(cotangent).slice(2);
  const isDepthwise = depth === 1 && outputs === group && windows.length === 2;
  const products = elementCount(dims) * (emit.shape(cotangent)[0] ?? 1) * elementCount(windows);
  if (emit.channelBlock !== null && products >= fewProducts) {
    if (fillBlocks(emit, cotangent, emit.channelBlock, convolution))
      return byConvolution(emit, cotangent, padded(), convolution);
    if (isDepthwise && planesFillBlocks(emit, cotangent, emit.channelBlock))
      return byPlanes(emit, cotangent, input, convolution);
  }
  if (group === 1 && depth <= fewChannels)
    return bySlices(emit, cotangent, padded(), dims, convolution);
  if (isDepthwise && (windows[1] ?? 1) <= shortRow)
    return byRows(emit, cotangent, padded(), dims, convolution);
  return byTaps(emit, cotangent, input, dims, convolution);
}

function tapsOf(
  emit: Emitter,
  padded: ValueId,
  windows: readonly number[],
  { kernel, strides, dilations }: Convolution,
): Taps {
  return {
    places: placesOf(kernel),
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

/** Do samples and outputs, and is it quicker than products of taps? */
function fillBlocks(
  emit: Emitter,
  cotangent: ValueId,
  block: number,
  { kernel, strides, group }: Convolution,
): boolean {
  if (group > 1 || kernel.length !== 2 || elementCount(kernel) === 1) return false;
  const [batch = 1, outputs = 1] = emit.shape(cotangent);
  const isPlain = strides.every((stride) => stride === 1);
  return batch % block === 0 && outputs % block === 0 && isPlain;
}

/**
 * Each channel's planes as a picture whose channels are samples; the cotangent is the kernel that slides over it. It is padded
 * beforehand: of the few columns that come of it the engine would compute those at a border one by one.
 */
function byConvolution(
  emit: Emitter,
  cotangent: ValueId,
  padded: ValueId,
  { kernel, strides, dilations }: Convolution,
): ValueId {
  const axes = [1, 0, ...kernel.map((_, axis) => axis + 2)];
  const convolved = emit.node(
    "Conv",
    [emit.transpose(padded, axes), emit.transpose(cotangent, axes)],
    {
      dilations: attribute.ints(strides),
      strides: attribute.ints(dilations),
    },
  );
  return emit.transpose(firstPlaces(emit, convolved, kernel), axes);
}

/** Do all planes of all samples? */
function planesFillBlocks(emit: Emitter, cotangent: ValueId, block: number): boolean {
  const [batch = 1, channels = 1] = emit.shape(cotangent);
  return (batch * channels) % block === 0;
}

/** Depthwise: all planes of all samples are channels of one picture, each with its cotangent as the kernel. */
function byPlanes(
  emit: Emitter,
  cotangent: ValueId,
  input: ValueId,
  { kernel, strides, dilations, before, after }: Convolution,
): ValueId {
  const [batch = 1, channels = 1, ...windows] = emit.shape(cotangent);
  const planes = batch * channels;
  const picture = emit.reshape(input, [1, planes, ...emit.shape(input).slice(2)]);
  const kernels = emit.reshape(cotangent, [planes, 1, ...windows]);
  const convolved = emit.node("Conv", [picture, kernels], {
    dilations: attribute.ints(strides),
    strides: attribute.ints(dilations),
    pads: attribute.ints([...before, ...after]),
    group: attribute.int(planes),
  });
  const taps = firstPlaces(emit, convolved, kernel);
  const summed = emit.sum(emit.reshape(taps, [batch, channels, ...kernel]), [0]);
  return emit.reshape(summed, [channels, 1, ...kernel]);
}

/** Behind the last window come further places. */
function firstPlaces(emit: Emitter, x: ValueId, sizes: readonly number[]): ValueId {
  const axes = sizes.map((_, axis) => axis + 2);
  const [zeros, ones] = [sizes.map(() => 0), sizes.map(() => 1)];
  return emit.slice(x, axes, zeros, sizes, ones);
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

/** A product for each tap, groups beside samples; or for each row of taps, whose cotangents are stacked. */
function byTaps(
  emit: Emitter,
  cotangent: ValueId,
  input: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const { group } = convolution;
  const [batch = 1, outputs = 1] = emit.shape(cotangent);
  const [, depth = 1] = dims;
  const groups = group === 1 ? [] : [group];
  const taps = isNarrow(emit.shape(cotangent).slice(2), convolution) ? flatTaps : cutTaps;
  const { windows, seen } = taps(emit, cotangent, input, convolution);
  const count = emit.shape(seen[0] ?? input)[2] ?? 1;
  const rows = windows.map((each) =>
    emit.reshape(each, [batch, ...groups, outputs / group, count]),
  );
  const dY = emit.concat(rows, groups.length + 1);
  const parts = seen.map((tap) => {
    const x = emit.reshape(tap, [batch, ...groups, depth, count]);
    const product = emit.sum(emit.node("MatMul", [dY, emit.swap(x)]), [0]);
    const apart = emit.reshape(product, [group, rows.length, outputs / group, depth]);
    return emit.reshape(emit.transpose(apart, [0, 2, 3, 1]), [outputs, depth, rows.length]);
  });
  return emit.reshape(emit.concat(parts, 2), dims);
}

/**
 * What each tap sees of the input, and the cotangent to it, planes as one axis: [N, channels, count]. Where there are
 * several cotangents, what is seen is of as many taps that follow one another, each with a cotangent of its own.
 */
interface SeenTaps {
  readonly windows: readonly ValueId[];
  readonly seen: readonly ValueId[];
}

/** Up to so much longer rows, products with zeros in between cost less than cutting rows does. */
const mostWidening = 1.5;

/** Are an input's rows not much longer than their windows? */
function isNarrow(
  windows: readonly number[],
  { kernel, strides, dilations }: Convolution,
): boolean {
  const widening = windows.map((count, axis) => {
    const reach = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1);
    return axis === 0 ? 1 : (count + Math.floor(reach / (strides[axis] ?? 1))) / count;
  });
  return elementCount(widening) <= mostWidening;
}

/** Of up to so many outputs a product for each tap has too few rows for the engine's kernels. */
const fewOutputs = 16;
/** From so many windows in a row on stacking pays: cotangents are moved row by row. */
const longRow = 24;

/** Does a row of taps cost less as one product, with a cotangent for each of them, than as a product each? */
function isStacked(
  [, outputs = 1, ...windows]: readonly number[],
  { kernel, strides, group }: Convolution,
): boolean {
  const last = kernel.length - 1;
  return (
    last > 0 &&
    (kernel[last] ?? 1) > 1 &&
    strides[last] === 1 &&
    outputs / group <= fewOutputs &&
    (windows[last] ?? 1) >= longRow
  );
}

/** Windows side by side, cut from the input row by row. */
function cutTaps(
  emit: Emitter,
  cotangent: ValueId,
  input: ValueId,
  convolution: Convolution,
): SeenTaps {
  const [batch = 1, outputs = 1, ...counts] = emit.shape(cotangent);
  const [, channels = 1] = emit.shape(input);
  const count = elementCount(counts);
  const { before, after } = convolution;
  const padded = emit.pad(input, [0, 0, ...before], [0, 0, ...after]);
  const { places, seenAt } = tapsOf(emit, padded, counts, convolution);
  return {
    windows: [emit.reshape(cotangent, [batch, outputs, count])],
    seen: places.map((place) => emit.reshape(seenAt(place), [batch, channels, count])),
  };
}

/**
 * A window's place in a plane as wide as the input's is as far from its neighbour's as what a tap sees there is, so that a
 * tap sees one run of the plane: it is copied as one piece, where rows would be copied one by one. Between the cotangent's
 * rows lie zeros. Of strides above 1 each phase is a plane by itself. Taps of one row see the same run, where the cotangent is
 * moved by as much as they are apart: Σ dY[t] · X[t + j] = Σ dY[t − j] · X[t].
 */
function flatTaps(
  emit: Emitter,
  cotangent: ValueId,
  input: ValueId,
  convolution: Convolution,
): SeenTaps {
  const { kernel, strides, dilations, before, after } = convolution;
  const [batch = 1, outputs = 1, ...counts] = emit.shape(cotangent);
  const [, channels = 1, ...sizes] = emit.shape(input);
  const axes = [...kernel.keys()];
  const stride = (axis: number): number => strides[axis] ?? 1;
  const reach = (axis: number): number => ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1);
  const shifts = axes.map((axis) => Math.floor(reach(axis) / stride(axis)));
  // A run that begins inside of a row ends inside of the row after the last.
  const rest = shifts.some((shift, axis) => axis > 0 && shift > 0) ? 1 : 0;
  const plane = axes.map(
    (axis) => (counts[axis] ?? 1) + (shifts[axis] ?? 0) + (axis === 0 ? rest : 0),
  );
  const lacking = axes.map(
    (axis) => (plane[axis] ?? 1) * stride(axis) - (sizes[axis] ?? 1) - (before[axis] ?? 0),
  );
  const padded = emit.pad(
    input,
    [0, 0, ...before],
    [0, 0, ...axes.map((axis) => Math.max(after[axis] ?? 0, lacking[axis] ?? 0))],
  );
  const phases = new Map<string, ValueId>();
  const phaseAt = (starts: readonly number[]): ValueId => {
    const known = phases.get(starts.join());
    if (known !== undefined) return known;
    const ends = axes.map(
      (axis) => (starts[axis] ?? 0) + ((plane[axis] ?? 1) - 1) * stride(axis) + 1,
    );
    const spatial = axes.map((axis) => axis + 2);
    const cut = emit.slice(padded, spatial, starts, ends, strides);
    const flat = emit.reshape(cut, [batch, channels, elementCount(plane)]);
    phases.set(starts.join(), flat);
    return flat;
  };
  const row = elementCount(plane.slice(1));
  const count = (counts[0] ?? 1) * row;
  const wider = axes.map((axis) => (axis === 0 ? 0 : (plane[axis] ?? 1) - (counts[axis] ?? 1)));
  const last = axes.length - 1;
  const stacked = isStacked(emit.shape(cotangent), convolution) ? (kernel[last] ?? 1) : 1;
  const windows = Array.from({ length: stacked }, (_, at) => {
    const moved = axes.map((axis) => (axis === last ? at * (dilations[axis] ?? 1) : 0));
    const after = axes.map((axis) => (wider[axis] ?? 0) - (moved[axis] ?? 0));
    const spread = emit.pad(cotangent, [0, 0, ...moved], [0, 0, ...after]);
    return emit.reshape(spread, [batch, outputs, count]);
  });
  return {
    windows,
    seen: placesOf(kernel)
      .filter((place) => stacked === 1 || place[last] === 0)
      .map((place) => {
        const offsets = place.map((at, axis) => at * (dilations[axis] ?? 1));
        const phase = phaseAt(offsets.map((offset, axis) => offset % stride(axis)));
        const begin = offsets.reduce(
          (sum, offset, axis) =>
            sum + Math.floor(offset / stride(axis)) * elementCount(plane.slice(axis + 1)),
          0,
        );
        return emit.slice(phase, [2], [begin], [begin + count], [1]);
      }),
  };
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
