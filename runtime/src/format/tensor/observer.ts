/** Counts of values x by floor(x / width), from bin `first` on. */
export interface Histogram {
  /** A power of two. */
  readonly width: number;
  readonly first: number;
  readonly counts: Float64Array;
  /** Values that are exactly zero; they are not in `counts`. */
  readonly zeros: number;
}

/** What an observer saw, as data that can be sent. */
export interface Observation {
  /** Null where nothing finite was seen. */
  readonly range: { readonly min: number; readonly max: number } | null;
  readonly notFinite: number;
  readonly zeros: number;
  /** log2 of the bins' width; null while only zeros were seen. */
  readonly exponent: number | null;
  readonly first: number;
  readonly counts: Float64Array;
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
  notFinite = 0;
  #zeros = 0;
  #min = Infinity;
  #max = -Infinity;
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
    let zeros = 0;
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i] as number;
      if (x === 0) zeros += 1;
      else if (x - x !== 0) this.notFinite += 1;
      else {
        const at = Math.floor(x * inverse) - first;
        counts[at] = (counts[at] as number) + 1;
      }
    }
    this.#zeros += zeros;
  }

  /** As if this one had seen what another with as many bins saw. */
  merge({ range, notFinite, zeros, exponent, first, counts }: Observation): void {
    this.notFinite += notFinite;
    this.#zeros += zeros;
    if (range !== null) this.#cover(range.min, range.max);
    if (exponent === null || this.#exponent === undefined) return;
    const coarser = this.#exponent - exponent;
    if (coarser < 0)
      throw new RangeError("Observers with different numbers of bins cannot be merged.");
    counts.forEach((n, i) => {
      if (n === 0) return;
      const at = Math.floor((first + i) / 2 ** coarser) - this.#first;
      this.#counts[at] = (this.#counts[at] as number) + n;
    });
  }

  /** Values seen, not finite ones excluded. */
  get count(): number {
    return this.#counts.reduce((sum, n) => sum + n, this.#zeros);
  }

  /** The smallest and the largest value seen; 0…0 when there was none. */
  get range(): { readonly min: number; readonly max: number } {
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

  get observation(): Observation {
    return {
      range: this.#min > this.#max ? null : { min: this.#min, max: this.#max },
      notFinite: this.notFinite,
      zeros: this.#zeros,
      exponent: this.#exponent ?? null,
      first: this.#first,
      counts: this.#counts,
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
