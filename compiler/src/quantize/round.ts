import { type IntegerArray, integerArray, type IntegerFormat, integerRange } from "./format.js";
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
  let signal = 0;
  let noise = 0;
  forEachRun(layoutOf(dims, format.granularity), (start, end, first, step) => {
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
  });
  const sqnr = noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
  return { format, dims, data, scales, zeroPoints, sqnr };
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
