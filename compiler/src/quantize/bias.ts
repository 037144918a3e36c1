import { roundHalfEven } from "./scale.js";

const int32Max = 2 ** 31 - 1;

/**
 * Weight scales widened where a channel's bias would not fit into int32 at scale input × weight: onnxruntime's guard.
 * The channel's weights lose precision that its large bias drowns anyway.
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
  const data = Int32Array.from(bias, (b, channel) => {
    const q = roundHalfEven(b / (scales[scales.length === 1 ? 0 : channel] ?? 1));
    return Math.max(-int32Max - 1, Math.min(int32Max, q));
  });
  return { data, scales };
}
