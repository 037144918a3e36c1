import { elementCount } from "@pare/runtime/format";
import type { RangeMethod } from "./range.js";
import { type IntegerRange, int7Range, int8Range, roundHalfEven, symmetricScale } from "./scale.js";

/** 8: −127…127. 7: −64…64, which no x86 saturates. */
export type WeightBits = 7 | 8;

export function weightRange(bits: WeightBits): IntegerRange {
  return bits === 7 ? int7Range : int8Range;
}

export interface QuantizedWeights {
  readonly data: Int8Array;
  /** One per channel, or one. */
  readonly scales: Float32Array;
  /** 10·log10(‖w‖² / ‖w − scale·q‖²) in dB; Infinity without error. */
  readonly sqnr: number;
}

/** How a tensor falls apart along an axis; one channel of everything where there is no axis. */
function channelsOf(
  dims: readonly number[],
  axis: number | undefined,
): { outer: number; channels: number; inner: number } {
  if (axis === undefined) return { outer: 1, channels: 1, inner: elementCount(dims) };
  return {
    outer: elementCount(dims.slice(0, axis)),
    channels: dims[axis] ?? 1,
    inner: elementCount(dims.slice(axis + 1)),
  };
}

/** Calls back with every run of consecutive elements that belong to one channel. */
function forEachRun(
  dims: readonly number[],
  axis: number | undefined,
  visit: (channel: number, start: number, end: number) => void,
): void {
  const { outer, channels, inner } = channelsOf(dims, axis);
  for (let o = 0; o < outer; o += 1) {
    for (let c = 0; c < channels; c += 1) {
      const start = (o * channels + c) * inner;
      visit(c, start, start + inner);
    }
  }
}

/** Symmetric scales, one per channel along `axis` or one for all. */
export function weightScales(
  values: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  bits: WeightBits,
  method: RangeMethod,
): Float32Array {
  const integers = weightRange(bits);
  const largest = new Float32Array(channelsOf(dims, axis).channels);
  forEachRun(dims, axis, (channel, start, end) => {
    for (let i = start; i < end; i += 1) {
      const magnitude = Math.abs(values[i] as number);
      if (magnitude > (largest[channel] as number)) largest[channel] = magnitude;
    }
  });
  const scales = largest.map((magnitude) => symmetricScale(magnitude, integers));
  return method === "minmax" ? scales : leastSquaresScales(values, dims, axis, integers, scales);
}

/** Tries each scale narrowed by up to a third and keeps what loses least in the mean square, per channel. */
function leastSquaresScales(
  values: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  integers: IntegerRange,
  scales: Float32Array,
): Float32Array {
  const best = scales.slice();
  const least = new Float64Array(scales.length).fill(Infinity);
  for (let step = 0; step < 12; step += 1) {
    const tried = scales.map((scale) => scale * (1 - step / 32));
    const error = new Float64Array(scales.length);
    forEachRun(dims, axis, (channel, start, end) => {
      const scale = tried[channel] as number;
      const inverse = 1 / scale;
      let sum = 0;
      for (let i = start; i < end; i += 1) {
        const w = values[i] as number;
        const q = roundHalfEven(w * inverse);
        const loss =
          w - scale * (q < integers.min ? integers.min : q > integers.max ? integers.max : q);
        sum += loss * loss;
      }
      error[channel] = (error[channel] as number) + sum;
    });
    error.forEach((sum, channel) => {
      if (sum >= (least[channel] as number)) return;
      least[channel] = sum;
      best[channel] = tried[channel] as number;
    });
  }
  return best;
}

/** Rounds weights with given scales; what does not fit is clipped to the bits, never beyond. */
export function quantizeWeights(
  values: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  bits: WeightBits,
  scales: Float32Array,
): QuantizedWeights {
  const { min, max } = weightRange(bits);
  const data = new Int8Array(values.length);
  let signal = 0;
  let noise = 0;
  forEachRun(dims, axis, (channel, start, end) => {
    const scale = scales[channel] as number;
    for (let i = start; i < end; i += 1) {
      const w = values[i] as number;
      const rounded = roundHalfEven(Math.fround(w / scale));
      const q = rounded < min ? min : rounded > max ? max : rounded;
      data[i] = q;
      signal += w * w;
      noise += (w - scale * q) ** 2;
    }
  });
  return { data, scales, sqnr: noise === 0 ? Infinity : 10 * Math.log10(signal / noise) };
}
