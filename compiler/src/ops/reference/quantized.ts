import { type Dtype, elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { roundHalfEven } from "./round-half-even.js";

/** The integers that a dtype can hold. */
export function integerRange(dtype: Dtype): readonly [number, number] {
  const match = /^(u?)int(\d+)$/.exec(dtype);
  const bits = Number(match?.[2] ?? 8);
  return match?.[1] === "u" ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

export function clampTo(value: number, [low, high]: readonly [number, number]): number {
  return Math.max(low, Math.min(high, value));
}

/**
 * For every element of `dims`, the position of its scale: one for all, one per index of `axis`, or, with a block
 * size, one per block along `axis`.
 */
export function scaleIndices(
  dims: readonly number[],
  scaleDims: readonly number[],
  axis: number,
  block: number,
): Int32Array {
  const single = elementCount(scaleDims) === 1 && block === 0;
  const strides = stridesOf(scaleDims);
  return sourceIndices(
    dims.map((size, at) => {
      if (single) return steps(size, 0);
      if (block === 0) return steps(size, at === axis ? 1 : 0);
      const stride = strides[at] ?? 0;
      return at === axis
        ? Int32Array.from({ length: size }, (_, i) => Math.floor(i / block) * stride)
        : steps(size, stride);
    }),
  );
}

/** x − zero point; the zero point is one number or one per index of `axis`. */
export function centred(
  x: Dense,
  zeroPoint: Dense | null | undefined,
  axis: number,
): ArrayLike<number> {
  const from = unpackNumbers(x);
  if (zeroPoint === null || zeroPoint === undefined) return from;
  const zeros = unpackNumbers(zeroPoint);
  const at = scaleIndices(x.dims, zeroPoint.dims, axis, 0);
  return Float64Array.from(from, (value, i) => value - (zeros[at[i] ?? 0] ?? 0));
}

/** Integer sums back in a quantized dtype: round(sum · left·right/result) + zero point, saturated. */
export function requantize(
  sums: ArrayLike<number>,
  dims: readonly number[],
  channelOf: (index: number) => number,
  scales: {
    readonly left: Dense;
    readonly right: Dense;
    readonly result: Dense;
    readonly zeroPoint: Dense;
  },
): Dense {
  const { type } = scales.zeroPoint;
  const [left, right, result, zeros] = [
    scales.left,
    scales.right,
    scales.result,
    scales.zeroPoint,
  ].map(unpackNumbers);
  const range = integerRange(type);
  const values = Float64Array.from(sums, (sum, i) => {
    const channel = channelOf(i);
    const factor = Math.fround(
      Math.fround(pick(left, channel) * pick(right, channel)) / pick(result, channel),
    );
    return clampTo(roundHalfEven(Math.fround(sum * factor)) + pick(zeros, channel), range);
  });
  return denseOf(type, dims, values);
}

/** The value of a channel, or the one for all. */
function pick(values: ArrayLike<number> | undefined, channel: number): number {
  return values?.length === 1 ? (values[0] ?? 0) : (values?.[channel] ?? 0);
}
