import type { ValueId } from "../../../ir/index.js";
import { mostRounded, type Result } from "../../kernels/rounding-i8.js";
import type { Lowering } from "../lowering.js";
import type { StoredIntegers } from "../stored-constants.js";
import type { Encoded } from "./quantization.js";
import type { RoundedResult } from "./rounded-result.js";

/** Weights as integers: by output channel those it sums over, and their scale. */
export interface IntegerWeights {
  readonly channels: number;
  /** Summed over by each channel. */
  readonly depth: number;
  readonly at: (channel: number, k: number) => number;
  readonly scaleOf: (channel: number) => number;
}

/** The integers of a constant that are laid out by output channels: along its first axis, or its second. */
export function integerWeights(
  stored: StoredIntegers | undefined,
  axis: 0 | 1,
): IntegerWeights | undefined {
  if (stored?.dtype !== "int8" || stored.block > 0) return undefined;
  const { data, dims, scales } = stored;
  if (scales.length > 1 && stored.axis !== axis) return undefined;
  const channels = dims[axis] ?? 1;
  const depth = data.length / channels;
  return {
    channels,
    depth,
    at: (channel, k) => data[axis === 0 ? channel * depth + k : k * channels + channel] ?? 0,
    scaleOf: (channel) => scales[scales.length === 1 ? 0 : channel] ?? 0,
  };
}

/** What goes with sums of products: where they begin, what they are multiplied by, what is made of them. */
export interface SumTerms {
  readonly starts: Int32Array;
  readonly factors: Float32Array;
  readonly result: Result;
  readonly other: { readonly factor: number; readonly zeroPoint: number } | undefined;
}

/** Sums must stay within 32 bits. */
const mostSum = 2 ** 31 - 1;

/**
 * Zero points fold into where sums begin: Σ w·(x − z) + bias = Σ w·x + (bias − z·Σ w).
 * @param bias by channel, in real numbers
 * @returns undefined where a sum could need more than 32 bits
 */
export function sumTerms(
  { scale, zeroPoint, most }: Encoded,
  weights: IntegerWeights,
  bias: (channel: number, step: number) => number,
  rounded: RoundedResult | undefined,
): SumTerms | undefined {
  const { channels, depth } = weights;
  const [starts, factors] = [new Int32Array(channels), new Float32Array(channels)];
  const { other } = rounded ?? {};
  const beside =
    other === undefined || rounded === undefined ? 0 : Math.fround(other.scale / rounded.scale);
  let largest = 0;
  for (let c = 0; c < channels; c += 1) {
    const step = Math.fround(scale * weights.scaleOf(c));
    let [sum, size] = [0, 0];
    for (let k = 0; k < depth; k += 1) {
      const weight = weights.at(c, k);
      sum += weight;
      size += Math.abs(weight);
    }
    const start = bias(c, step) - zeroPoint * sum;
    const bound = Math.abs(start) + size * most;
    if (!(bound < mostSum)) return undefined;
    starts[c] = start;
    const factor = Math.fround(rounded === undefined ? step : step / rounded.scale);
    if (!Number.isFinite(factor)) return undefined;
    factors[c] = factor;
    largest = Math.max(largest, bound * factor + 255 * Math.abs(beside));
  }
  return {
    starts,
    factors,
    result:
      rounded === undefined
        ? { kind: "floats" }
        : {
            kind: "bytes",
            ...rounded.rounding,
            wide: largest >= mostRounded,
            ...(rounded.curve !== undefined && { curve: rounded.curve }),
          },
    other: other === undefined ? undefined : { factor: beside, zeroPoint: other.zeroPoint },
  };
}

/** A bias in steps of the sums: as it was stored, or the nearest integers; undefined where it is not constant. */
export function integerBias(
  l: Lowering,
  id: ValueId | undefined,
  times = 1,
): ((channel: number, step: number) => number) | undefined {
  if (id === undefined) return () => 0;
  const numbers = l.floats(id);
  if (numbers === undefined) return undefined;
  const stored = l.stored.get(id);
  // A block's scale is of no channel.
  const { data, scales } = stored !== undefined && stored.block === 0 ? stored : {};
  return (channel, step) => {
    const at = numbers.length === 1 ? 0 : channel;
    const own = scales?.[scales.length === 1 ? 0 : at];
    const isOwn = own !== undefined && times === 1 && Math.abs(own - step) <= 1e-6 * step;
    return isOwn ? (data?.[at] ?? 0) : Math.round((times * (numbers[at] ?? 0)) / step);
  };
}
