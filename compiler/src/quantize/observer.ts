import { elementCount } from "@pare/runtime/format";
import type { Range } from "./scale.js";

/** Counts of values x by floor(x / width), from bin `first` on. */
export interface Histogram {
  /** A power of two. */
  readonly width: number;
  readonly first: number;
  readonly counts: Float64Array;
  /** Values that are exactly zero; they are not in `counts`. */
  readonly zeros: number;
}

/**
 * Sees values stream by and keeps their extremes and a histogram in constant memory. Bins are
 * [i·w, (i+1)·w) with w the smallest power of two for which `bins` of them cover all values and zero;
 * when they no longer do, w doubles and pairs of bins merge, which loses nothing that the wider bins
 * could hold. So the result depends neither on the order of the values nor on how they were cut into
 * batches. Values that are not finite are counted apart.
 */
export class Observer {
  readonly bins: number;
  /** Values seen, not finite ones excluded. */
  count = 0;
  notFinite = 0;
  #zeros = 0;
  #channelSums: Float64Array | undefined;
  #perChannel = 0;
  #min = Infinity;
  #max = -Infinity;
  /** log2 of the bins' width; undefined while only zeros were seen. */
  #exponent: number | undefined;
  #first = 0;
  #counts: Float64Array;

  constructor(bins = 2048) {
    this.bins = bins;
    this.#counts = new Float64Array(bins);
  }

  observe(values: ArrayLike<number>): void {
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i] as number;
      if (x < min && x !== -Infinity) min = x;
      if (x > max && x !== Infinity) max = x;
    }
    this.#cover(min, max);
    const inverse = 2 ** -(this.#exponent ?? 0);
    const first = this.#first;
    const counts = this.#counts;
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i] as number;
      if (x === 0) this.#zeros += 1;
      else if (x - x !== 0) this.notFinite += 1;
      else {
        const at = Math.floor(x * inverse) - first;
        counts[at] = (counts[at] as number) + 1;
      }
    }
    this.count = this.#zeros;
    for (const n of counts) this.count += n;
  }

  /**
   * Sums along an axis, for `channelMeans`; −1 is the last one. What has another number of channels than what came
   * first is left out.
   */
  observeChannels(values: ArrayLike<number>, dims: readonly number[], axis: number): void {
    const at = axis < 0 ? dims.length + axis : axis;
    const channels = dims[at] ?? 0;
    const inner = elementCount(dims.slice(at + 1));
    this.#channelSums ??= new Float64Array(channels);
    const sums = this.#channelSums;
    if (sums.length !== channels || channels === 0) return;
    for (let start = 0, run = 0; start < values.length; start += inner, run += 1) {
      let sum = 0;
      for (let i = start; i < start + inner; i += 1) sum += values[i] as number;
      sums[run % channels] = (sums[run % channels] as number) + sum;
    }
    this.#perChannel += values.length / channels;
  }

  /** The mean of each channel, where channels were observed. */
  get channelMeans(): Float64Array | undefined {
    return this.#channelSums?.map((sum) => sum / Math.max(1, this.#perChannel));
  }

  /** As if this one had seen what the other saw, channels apart. */
  merge(other: Observer): void {
    this.notFinite += other.notFinite;
    this.#zeros += other.#zeros;
    this.#cover(other.#min, other.#max);
    if (other.#exponent !== undefined && this.#exponent !== undefined) {
      const coarser = this.#exponent - other.#exponent;
      if (coarser < 0)
        throw new RangeError("Observers with different numbers of bins cannot be merged.");
      other.#counts.forEach((n, i) => {
        if (n === 0) return;
        const at = Math.floor((other.#first + i) / 2 ** coarser) - this.#first;
        this.#counts[at] = (this.#counts[at] as number) + n;
      });
    }
    this.count += other.count;
  }

  /** The smallest and the largest value seen; 0…0 when there was none. */
  get range(): Range {
    return this.#min > this.#max ? { min: 0, max: 0 } : { min: this.#min + 0, max: this.#max + 0 };
  }

  get histogram(): Histogram {
    return {
      width: 2 ** (this.#exponent ?? 0),
      first: this.#first,
      counts: this.#counts,
      zeros: this.#zeros,
    };
  }

  /** Makes room for values between min and max, and for zero. */
  #cover(min: number, max: number): void {
    if (min > max) return;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    const low = Math.min(this.#min, 0);
    const high = Math.max(this.#max, 0);
    if (low === high) return;
    let exponent = Math.floor(Math.log2((high - low) / this.bins)) - 1;
    while (Math.floor(high * 2 ** -exponent) - Math.floor(low * 2 ** -exponent) >= this.bins)
      exponent += 1;
    const first = Math.floor(low * 2 ** -exponent);
    if (exponent === this.#exponent && first === this.#first) return;
    const counts = new Float64Array(this.bins);
    const halvings = 2 ** (exponent - (this.#exponent ?? exponent));
    this.#counts.forEach((n, i) => {
      if (n === 0) return;
      const at = Math.floor((this.#first + i) / halvings) - first;
      counts[at] = (counts[at] as number) + n;
    });
    this.#counts = counts;
    this.#first = first;
    this.#exponent = exponent;
  }
}
