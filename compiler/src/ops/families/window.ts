import { type Dim, dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
import { larger } from "./symbolic.js";

/** How a window moves over one spatial axis. */
export interface WindowAxis {
  readonly size: Dim;
  readonly kernel: Dim;
  readonly stride: number;
  readonly dilation: number;
  readonly before: Dim;
  readonly after: Dim;
  /** How many places the window takes. */
  readonly output: Dim;
}

/** What convolutions and pools say of their window: strides, dilations, pads, auto_pad, ceil_mode. */
export function windowAxes(
  sizes: readonly Dim[],
  kernel: readonly Dim[],
  attributes: AttributeReader,
): readonly WindowAxis[] {
  const strides = attributes.ints("strides");
  const dilations = attributes.ints("dilations");
  const pads = attributes.ints("pads");
  const autoPad = attributes.string("auto_pad", "NOTSET");
  const ceil = isRoundedUp(attributes);
  return sizes.map((size, axis) => {
    const stride = strides?.[axis] ?? 1;
    const dilation = dilations?.[axis] ?? 1;
    const span = spanOf(kernel[axis] ?? 1, dilation);
    const fixed = { size, kernel: kernel[axis] ?? 1, stride, dilation };
    if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") {
      const output = dim.ceilDiv(size, stride);
      const needed = dim.add(dim.multiply(dim.subtract(output, 1), stride), span);
      const total = larger(dim.subtract(needed, size), 0);
      const half = dim.floorDiv(total, 2);
      const rest = dim.subtract(total, half);
      const [before, after] = autoPad === "SAME_UPPER" ? [half, rest] : [rest, half];
      return { ...fixed, before, after, output };
    }
    const before = autoPad === "VALID" ? 0 : (pads?.[axis] ?? 0);
    const after = autoPad === "VALID" ? 0 : (pads?.[axis + sizes.length] ?? 0);
    const room = dim.subtract(dim.add(size, before, after), span);
    // Of a window that is wider than all there is the specification makes nothing, and engines, which round to 0, one place.
    const isTooWide = typeof room === "number" && room < 0;
    const output = isTooWide
      ? dim.unknown()
      : ceil
        ? ceiled(room, stride, after, dim.add(size, before), span)
        : dim.add(dim.floorDiv(room, stride), 1);
    return { ...fixed, before, after, output };
  });
}

/**
 * Why onnxruntime (1.30) does not pad by SAME as the specification says, and TensorFlow does: it leaves dilations of pools out, and
 * crops windows that are further apart than they are wide. Undefined where it does, and of sizes that are free.
 */
export function readsSameOtherwise(
  axes: readonly WindowAxis[],
  attributes: AttributeReader,
  isPool: boolean,
): string | undefined {
  if (!attributes.string("auto_pad", "NOTSET").startsWith("SAME")) return undefined;
  if (isPool && axes.some(({ dilation }) => dilation !== 1))
    return "it has dilations beside an auto_pad of SAME, which the engine leaves out of its pads";
  const isCropped = axes.some(({ size, kernel, stride, dilation, output }) => {
    const needed = (Number(output) - 1) * stride + Number(spanOf(kernel, dilation));
    return needed - Number(size) < -1;
  });
  return isCropped
    ? "its windows are far apart beside an auto_pad of SAME, by which the engine crops"
    : undefined;
}

/** Does a last, partial window count? Engines take no number but 1 for that. */
export function isRoundedUp(attributes: AttributeReader): boolean {
  return attributes.int("ceil_mode", 0) === 1;
}

/** Does a window fit at all, and move? A file may say anything. */
export function isMoving({ kernel, stride, dilation, output }: WindowAxis): boolean {
  return [kernel, stride, dilation, output].every((count) => Number(count) >= 1);
}

/** The places of a kernel, the last axis fastest. */
export function placesOf(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (places, size) =>
      places.flatMap((place) => Array.from({ length: size }, (_, at) => [...place, at])),
    [[]],
  );
}

/** What a dilated kernel covers. */
function spanOf(kernel: Dim, dilation: number): Dim {
  return dim.add(dim.multiply(dim.subtract(kernel, 1), dilation), 1);
}

/** With ceil_mode a last, partial window counts, unless it would begin in the padding after the input. */
function ceiled(room: Dim, stride: number, after: number, begins: Dim, span: Dim): Dim {
  const output = dim.add(dim.ceilDiv(room, stride), 1);
  if (typeof span === "number" && stride + after <= span) return output;
  if (typeof output !== "number" || typeof begins !== "number") return dim.unknown();
  return (output - 1) * stride >= begins ? output - 1 : output;
}

/** No element, but padding that a pool may count. */
export const padding = -1;
/** Beyond the padding, where ceil_mode lets the last window reach. */
export const beyond = -2;

/** The elements under each window: flat positions within the spatial axes, `padding` or `beyond`. */
export interface Taps {
  readonly indices: Int32Array;
  readonly windows: number;
  readonly taps: number;
}

/** All axes' sizes must be numbers. */
export function tapsOf(axes: readonly WindowAxis[]): Taps {
  let indices = Int32Array.of(0);
  let windows = 1;
  let taps = 1;
  for (const axis of axes) {
    const [size, kernel, output] = [axis.size, axis.kernel, axis.output].map(Number);
    const places = positionsOf(axis);
    const [out = 0, reach = 1, plane = 0] = [output, kernel, size];
    const next = new Int32Array(windows * out * taps * reach);
    let at = 0;
    for (let window = 0; window < windows; window += 1) {
      for (let place = 0; place < out; place += 1) {
        for (let tap = 0; tap < taps; tap += 1) {
          const base = indices[window * taps + tap] ?? 0;
          for (let k = 0; k < reach; k += 1) {
            const position = places[place * reach + k] ?? 0;
            next[at] =
              Math.min(base, position) < 0 ? Math.min(base, position) : base * plane + position;
            at += 1;
          }
        }
      }
    }
    indices = next;
    windows *= out;
    taps *= reach;
  }
  return { indices, windows, taps };
}

function positionsOf(axis: WindowAxis): Int32Array {
  const size = Number(axis.size);
  const kernel = Number(axis.kernel);
  const before = Number(axis.before);
  const end = size + Number(axis.after);
  const positions = new Int32Array(Number(axis.output) * kernel);
  positions.forEach((_, i) => {
    const position = Math.floor(i / kernel) * axis.stride - before + (i % kernel) * axis.dilation;
    positions[i] = position >= end ? beyond : position < 0 || position >= size ? padding : position;
  });
  return positions;
}
