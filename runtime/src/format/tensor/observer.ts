/** Counts of values x by floor(x / width), from bin `first` on. */
export interface Histogram {
  /** A power of two. */
  readonly width: number;
  readonly first: number;
  readonly counts: Float64Array;
  /** Values that are exactly zero; they are not in `counts`. */
  readonly zeros: number;
}

/** How values are distributed. */
export interface Distribution {
  /** The smallest and the largest value seen; 0…0 when there was none. */
  readonly range: { readonly min: number; readonly max: number };
  readonly histogram: Histogram;
  /** Values seen, not finite ones excluded. */
  readonly count: number;
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
  /** Without zeros. */
  readonly counts: Float64Array;
}

/** An observation as a distribution; nothing is copied. */
export function distributionOf({
  range,
  zeros,
  exponent,
  first,
  counts,
}: Observation): Distribution {
  return {
    range: range === null ? { min: 0, max: 0 } : { min: range.min + 0, max: range.max + 0 },
    histogram: { width: 2 ** (exponent ?? 0), first, counts, zeros },
    count: counts.reduce((sum, n) => sum + n, zeros),
  };
}

/** Four histograms to be added: neighbours, which often fall into one bin, need not wait for each other. */
export type Lanes = readonly [Int32Array, Int32Array, Int32Array, Int32Array];

export function lanesOf(bins: number): Lanes {
  const lane = (): Int32Array => new Int32Array(bins);
  return [lane(), lane(), lane(), lane()];
}

/** From here on lanes are worth adding them up. */
const manyValues = 8192;

/**
 * Sees values stream by and keeps their extremes and a histogram in constant memory. Bins are
 * [i·w, (i+1)·w) with w the smallest power of two for which `bins` of them cover all values and zero;
 * when they no longer do, w doubles and pairs of bins merge, which loses nothing that the wider bins
 * could hold. So the result depends neither on the order of the values nor on how they were cut into
 * batches. Values that are not finite are counted apart.
 */
export class Observer implements Distribution {
  readonly bins: number;
  notFinite = 0;
  #zeros = 0;
  #min = Infinity;
  #max = -Infinity;
  #exponent: number | undefined;
  #first = 0;
  readonly #counts: Float64Array;
  #lanes: Lanes | undefined;

  /** @param lanes used during each call alone: observers that are called in turn may have the same */
  constructor(bins = 2048, lanes?: Lanes) {
    this.bins = bins;
    this.#counts = new Float64Array(bins);
    this.#lanes = lanes;
  }

  observe(values: ArrayLike<number>): void {
    const ends = finiteEnds(values);
    if (ends === null) {
      const finite = Float64Array.from(values).filter(Number.isFinite);
      this.notFinite += values.length - finite.length;
      if (finite.length > 0) this.observe(finite);
      return;
    }
    this.#cover(ends.min, ends.max);
    const many = values.length < manyValues ? 0 : values.length - (values.length % 4);
    if (many > 0) this.#countMany(values, many);
    this.#countFew(values, many);
  }

  /** Counts what lies in the bins; zeros are counted as well, and apart. */
  #countFew(values: ArrayLike<number>, from: number): void {
    const inverse = 2 ** -(this.#exponent ?? 0);
    const first = this.#first;
    const counts = this.#counts;
    let zeros = 0;
    for (let i = from; i < values.length; i += 1) {
      const x = values[i] as number;
      // `| 0` makes indexes of integers that are small: at most as many bins lie on either side of zero.
      const at = (Math.floor(x * inverse) | 0) - first;
      counts[at] = (counts[at] as number) + 1;
      if (x === 0) zeros += 1;
    }
    this.#zeros += zeros;
  }

  /** @param to a multiple of four */
  #countMany(values: ArrayLike<number>, to: number): void {
    const inverse = 2 ** -(this.#exponent ?? 0);
    const first = this.#first;
    const lanes = (this.#lanes ??= lanesOf(this.bins));
    const [a, b, c, d] = lanes;
    let zeros = 0;
    for (let i = 0; i < to; i += 4) {
      const w = values[i] as number;
      const x = values[i + 1] as number;
      const y = values[i + 2] as number;
      const z = values[i + 3] as number;
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
    const counts = this.#counts;
    for (let at = 0; at < counts.length; at += 1) {
      const n = (a[at] as number) + (b[at] as number) + (c[at] as number) + (d[at] as number);
      counts[at] = (counts[at] as number) + n;
    }
    for (const lane of lanes) lane.fill(0);
    this.#zeros += zeros;
  }

  /** Zeros are left out. */
  #withoutZeros(): Float64Array {
    const counts = this.#counts.slice();
    const atZero = -this.#first;
    if (this.#zeros > 0) counts[atZero] = (counts[atZero] as number) - this.#zeros;
    return counts;
  }

  /** As if this one had seen what another with as many bins saw. */
  merge({ range, notFinite, zeros, exponent, first, counts }: Observation): void {
    this.notFinite += notFinite;
    this.#zeros += zeros;
    if (range !== null) this.#cover(range.min, range.max);
    const own = this.#counts;
    own[-this.#first] = (own[-this.#first] as number) + zeros;
    if (exponent === null || this.#exponent === undefined) return;
    const coarser = this.#exponent - exponent;
    if (coarser < 0)
      throw new RangeError("Observers with different numbers of bins cannot be merged.");
    counts.forEach((n, i) => {
      if (n === 0) return;
      const at = Math.floor((first + i) / 2 ** coarser) - this.#first;
      own[at] = (own[at] as number) + n;
    });
  }

  get count(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  get range(): Distribution["range"] {
    return this.#min > this.#max ? { min: 0, max: 0 } : { min: this.#min + 0, max: this.#max + 0 };
  }

  get histogram(): Histogram {
    return {
      width: 2 ** (this.#exponent ?? 0),
      first: this.#first,
      counts: this.#withoutZeros(),
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
      counts: this.#withoutZeros(),
    };
  }

  /** Makes room for values between min and max, and for zero. */
  #cover(min: number, max: number): void {
    if (min > max || (min >= this.#min && max <= this.#max)) return;
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
    const counts = this.#counts;
    const before = counts.slice();
    counts.fill(0);
    for (let i = 0; i < before.length; i += 1) {
      const n = before[i] as number;
      if (n === 0) continue;
      const at = Math.floor((this.#first + i) / halvings) - first;
      counts[at] = (counts[at] as number) + n;
    }
    this.#first = first;
    this.#exponent = exponent;
  }
}

/** The smallest and the largest value, +∞…−∞ where there is none; null where one is not finite. */
function finiteEnds(values: ArrayLike<number>): { min: number; max: number } | null {
  let min = Infinity;
  let max = -Infinity;
  // Few of many values are new ends: four are compared before one is looked at.
  let i = 0;
  for (; i + 3 < values.length; i += 4) {
    const w = values[i] as number;
    const x = values[i + 1] as number;
    const y = values[i + 2] as number;
    const z = values[i + 3] as number;
    const isInside = w >= min && x >= min && y >= min && z >= min;
    if (isInside && w <= max && x <= max && y <= max && z <= max) continue;
    // What is no number is not inside, and stays in an end.
    min = Math.min(min, w, x, y, z);
    max = Math.max(max, w, x, y, z);
  }
  for (; i < values.length; i += 1) {
    min = Math.min(min, values[i] as number);
    max = Math.max(max, values[i] as number);
  }
  const isNone = values.length === 0;
  return isNone || (Number.isFinite(min) && Number.isFinite(max)) ? { min, max } : null;
}
