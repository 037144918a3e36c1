import {
  type IntegerArray,
  integerArray,
  type IntegerFormat,
  type IntegerRange,
  integerRange,
} from "./format.js";
import { nearestInteger } from "./half-even.js";
import { forEachRun, layoutOf } from "./layout.js";
import type { Scales } from "./scale.js";

/** A tensor as integers, with what makes real numbers of them again. */
export interface QuantizedTensor extends Scales {
  readonly format: IntegerFormat;
  readonly dims: readonly number[];
  /** One element each, row-major; see `pack`. */
  readonly data: IntegerArray;
  /** 10·log10(‖x‖² / ‖x − dequantized‖²) in dB; Infinity without error. */
  readonly sqnr: number;
}

/**
 * Rounds a tensor: clip(roundHalfEven(float32(x / scale)) + zero point), as onnxruntime's `quantize_nparray`, but
 * clipped to the format's own range, which may be smaller than the dtype's.
 * @param values float32, row-major, as many as `dims` say
 */
export function quantize(
  values: Float32Array,
  dims: readonly number[],
  format: IntegerFormat,
  { scales, zeroPoints }: Scales,
): QuantizedTensor {
  const range = integerRange(format);
  const data = integerArray(format.dtype, values.length);
  const sums: Sums = { signal: 0, noise: 0 };
  forEachRun(layoutOf(dims, format.granularity), (start, end, first, step) =>
    roundRun(values, data, start, end, first, step, { scales, zeroPoints }, range, sums),
  );
  const { signal, noise } = sums;
  const sqnr = noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
  return { format, dims, data, scales, zeroPoints, sqnr };
}

/** ‖x‖² and ‖x − dequantized‖² of what was rounded. */
interface Sums {
  signal: number;
  noise: number;
}

/** A function with sums of its own: those of a closure are kept on the heap, and written there for each element. */
function roundRun(
  values: Float32Array,
  data: IntegerArray,
  start: number,
  end: number,
  first: number,
  step: 0 | 1,
  { scales, zeroPoints }: Scales,
  range: IntegerRange,
  sums: Sums,
): void {
  let { signal, noise } = sums;
  for (let i = start, group = first; i < end; i += 1, group += step) {
    const x = values[i] as number;
    const scale = scales[group] as number;
    const zeroPoint = zeroPoints[group] as number;
    const q = nearestInteger(Math.fround(x / scale), zeroPoint, range);
    const lost = x - scale * (q - zeroPoint);
    data[i] = q;
    signal += x * x;
    noise += lost * lost;
  }
  sums.signal = signal;
  sums.noise = noise;
}

/** The real numbers that a tensor's integers stand for, in float32: (q − zero point) × scale, as DequantizeLinear. */
export function dequantize({
  format,
  dims,
  data,
  scales,
  zeroPoints,
}: Omit<QuantizedTensor, "sqnr">): Float32Array {
  const values = new Float32Array(data.length);
  forEachRun(layoutOf(dims, format.granularity), (start, end, first, step) => {
    for (let i = start, group = first; i < end; i += 1, group += step)
      values[i] = ((data[i] as number) - (zeroPoints[group] as number)) * (scales[group] as number);
  });
  return values;
}
