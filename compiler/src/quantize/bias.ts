import type { IntegerRange } from "./format.js";
import { nearestInteger } from "./half-even.js";

const int32Max = 2 ** 31 - 1;
const int32: IntegerRange = { min: -int32Max - 1, max: int32Max };

/** Of a channel that has no weights but 0, so many steps are its bias: float32 has no more digits. */
const stepsOfBias = 2 ** 24;

/**
 * Weight scales widened where a channel's bias would not fit into int32 at scale input × weight: onnxruntime's guard.
 * The channel's weights lose precision that its large bias drowns anyway.
 * @param scales 0 where all weights of a channel are: its scale is what suits its bias, and 0 where that is 0 too
 */
export function guardedScales(
  scales: Float32Array,
  inputScale: number,
  bias: Float32Array,
): Float32Array {
  const perTensor =
    scales.length === 1
      ? bias.reduce((largest, b) => Math.max(largest, Math.abs(b)), 0)
      : undefined;
  return scales.map((scale, channel) => {
    const largest = perTensor ?? Math.abs(bias[channel] ?? 0);
    const smallest = (1.0001 * 2 * largest) / (2 * int32Max);
    if (scale === 0) return largest / stepsOfBias / inputScale;
    const product = inputScale * scale;
    return product > 0 && product < smallest ? scale * (smallest / product) : scale;
  });
}

export interface QuantizedBias {
  readonly data: Int32Array;
  /** One per channel, or one: input × weight, in float32. */
  readonly scales: Float32Array;
}

/** The bias in the accumulator's own steps. */
export function quantizeBias(
  bias: Float32Array,
  inputScale: number,
  weightScales: Float32Array,
): QuantizedBias {
  const scales = weightScales.map((scale) => inputScale * scale);
  const data = new Int32Array(bias.length);
  for (let i = 0; i < bias.length; i += 1) {
    const scale = scales[scales.length === 1 ? 0 : i] ?? 1;
    data[i] = nearestInteger((bias[i] as number) / scale, 0, int32);
  }
  return { data, scales };
}

/**
 * By how much rounding the weights shifts each output channel on average: E[(W − Ŵ)·x], with the mean of x per input
 * channel (padding neglected). Added to the bias it takes the shift out again.
 * @param rounded Ŵ: what the integers of the weights W stand for
 * @param axis of output channels: 0 for convolutions ([outputs, inputs / group, …kernel]) and turned matrices, 1 for matrices
 */
export function meanShift(
  values: Float32Array,
  rounded: Float32Array,
  dims: readonly number[],
  axis: 0 | 1,
  group: number,
  means: ArrayLike<number>,
): Float64Array {
  const [first = 0, second = 0] = dims;
  const inner = first * second === 0 ? 0 : values.length / (first * second);
  const outputs = axis === 0 ? first : second;
  const shift = new Float64Array(outputs);
  for (let a = 0; a < first; a += 1) {
    for (let b = 0; b < second; b += 1) {
      const output = axis === 0 ? a : b;
      const input = axis === 0 ? Math.floor((a * group) / first) * second + b : a;
      let lost = 0;
      for (let i = (a * second + b) * inner; i < (a * second + b + 1) * inner; i += 1)
        lost += (values[i] as number) - (rounded[i] as number);
      shift[output] = (shift[output] as number) + lost * (means[input] ?? 0);
    }
  }
  return shift;
}
