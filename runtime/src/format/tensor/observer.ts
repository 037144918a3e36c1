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
  /** Four histograms to be added: neighbours, which often fall into one bin, need not wait for each other. */
  readonly #lanes: readonly [Float64Array, Float64Array, Float64Array, Float64Array];

  constructor(bins = 2048) {
    this.bins = bins;
    const lane = (): Float64Array => new Float64Array(bins);
    this.#lanes = [lane(), lane(), lane(), lane()];
  }

  observe(values: ArrayLike<number>): void {
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i] as number;
      min = Math.min(min, x);
      max = Math.max(max, x);
    }
    // One that is not finite shows in an end.
    if (!Number.isFinite(min) || !Number.isFinite(max)) {
      const finite = Float64Array.from(values).filter(Number.isFinite);
      this.notFinite += values.length - finite.length;
      if (finite.length > 0) this.observe(finite);
      return;
    }
    this.#cover(min, max);
    this.#zeros += this.#count(values);
  }

  /** Counts what lies in the bins; gives the number of zeros, which are counted as well. */
  #count(values: ArrayLike<number>): number {
    const inverse = 2 ** -(this.#exponent ?? 0);
    const first = this.#first;
    const [a, b, c, d] = this.#lanes;
    let zeros = 0;
    let i = 0;
    for (; i + 3 < values.length; i += 4) {
      const w = values[i] as number;
      const x = values[i + 1] as number;
      const y = values[i + 2] as number;
      const z = values[i + 3] as number;
      // `| 0` makes indexes of integers that are small: at most as many bins lie on either side of zero.
      const atW = (Math.floor(w * inverse) | 0) - first;
      const atX = (Math.floor(x * inverse) | 0) - first;
      const atY = (Math.floor(y * inverse) | 0) - first;
      const atZ = (Math.floor(z * inverse) | 0) - first;
      a[atW] = (a[atW] as number) + 1;
      b[atX] = (b[atX] as number) + 1;
      c[atY] = (c[atY] as number) + 1;
      d[atZ] = (d[atZ] as number) + 1;
      zeros += (w === 0 ? 1 : 0) + (x === 0 ? 1 : 0) + (y === 0 ? 1 : 0) + (z === 0 ? 1 : 0);
    }
    for (; i < values.length; i += 1) {
      const x = values[i] as number;
      const at = (Math.floor(x * inverse) | 0) - first;
      a[at] = (a[at] as number) + 1;
      if (x === 0) zeros += 1;
    }
    return zeros;
  }

  /** Zeros are left out. */
  get #counts(): Float64Array {
    const [a, b, c, d] = this.#lanes;
    const counts = a.map((n, at) => n + (b[at] as number) + (c[at] as number) + (d[at] as number));
    const atZero = -this.#first;
    if (this.#zeros > 0) counts[atZero] = (counts[atZero] as number) - this.#zeros;
    return counts;
  }

  /** As if this one had seen what another with as many bins saw. */
  merge({ range, notFinite, zeros, exponent, first, counts }: Observation): void {
    this.notFinite += notFinite;
    this.#zeros += zeros;
    if (range !== null) this.#cover(range.min, range.max);
    const [lane] = this.#lanes;
    lane[-this.#first] = (lane[-this.#first] as number) + zeros;
    if (exponent === null || this.#exponent === undefined) return;
    const coarser = this.#exponent - exponent;
    if (coarser < 0)
      throw new RangeError("Observers with different numbers of bins cannot be merged.");
    counts.forEach((n, i) => {
      if (n === 0) return;
      const at = Math.floor((first + i) / 2 ** coarser) - this.#first;
      lane[at] = (lane[at] as number) + n;
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
    const halvings = 2 ** (exponent - (this.#exponent ?? exponent));
    for (const lane of this.#lanes) {
      const before = lane.slice();
      lane.fill(0);
      before.forEach((n, i) => {
        if (n === 0) return;
        const at = Math.floor((this.#first + i) / halvings) - first;
        lane[at] = (lane[at] as number) + n;
      });
    }
    this.#first = first;
    this.#exponent = exponent;
  }
}
