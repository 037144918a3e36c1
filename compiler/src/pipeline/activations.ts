import type { Graph, ValueId } from "../ir/index.js";
import type { ActivationRangeMethod } from "../quantize/observed-range.js";
import type { IntegerFormat } from "../quantize/format.js";

/** What can be known of an activation from the calibration samples. */
export type Statistic =
  /** The range to round with: all that was seen, or what a method leaves of it. */
  | {
      readonly kind: "range";
      readonly method: ActivationRangeMethod;
      readonly format: IntegerFormat;
    }
  /** The smallest and the largest element of all samples, in the graph as it is: what onnxruntime's calibrator sees. */
  | { readonly kind: "extremes" }
  /** The mean of each channel along an axis; −1 is the last. */
  | { readonly kind: "channel-means"; readonly axis: number };

/** A statistic of a float32 value of the main graph. */
export interface Wanted {
  readonly value: ValueId;
  readonly statistic: Statistic;
}

export interface ObservedRange {
  readonly min: number;
  readonly max: number;
  /** Signal to rounding noise when rounded with this range, in dB; null where the method does not see the distribution. */
  readonly sqnr: number | null;
}

/** What was observed; every value that was wanted is there. */
export interface Observed {
  readonly ranges: ReadonlyMap<ValueId, ObservedRange>;
  /** By axis, as it was asked for. */
  readonly channelMeans: ReadonlyMap<ValueId, ReadonlyMap<number, Float32Array>>;
}

export interface ObserveOptions {
  /** Who asks, for messages. */
  readonly pass: string;
  /**
   * What questions like this one ask besides: it is observed along, so that all of them share one observation. Where one
   * asks for a part of another, each should name the whole.
   */
  readonly beside?: readonly Wanted[] | undefined;
  /** Who asks does without: a lock that does not know answers with nothing. */
  readonly optional?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Done so far, of 1. */
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/**
 * Statistics of activations on the calibration samples. The same question on the same graph has the same answer,
 * whatever was asked before.
 */
export interface Activations {
  /** @throws PareError DATA_MISMATCH without samples, ENGINE, ABORTED; LOCK where a lock answers and does not know */
  observe(graph: Graph, wanted: readonly Wanted[], options: ObserveOptions): Promise<Observed>;
}
