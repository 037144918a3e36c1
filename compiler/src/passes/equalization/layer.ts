import type { WeightedNode } from "../../analysis/weighted-node.js";

/**
 * The weights of a layer as rows × columns × kernel. In a Conv and a Gemm with transB a row is an output channel and a
 * column an input channel of the row's group; in a ConvTranspose, a Gemm without transB and a MatMul the other way
 * round.
 */
export class Layer {
  readonly weighted: WeightedNode;
  readonly isFinite: boolean;
  /** What outputs and inputs are multiplied with. */
  readonly outputs: Float64Array;
  readonly inputs: Float64Array;
  readonly #values: Float32Array;
  readonly #rows: Float64Array;
  readonly #columns: Float64Array;
  /** Of one group. */
  readonly #rowsPerGroup: number;
  readonly #width: number;
  /** The largest magnitude over the kernel, rows × width. */
  readonly #largest: Float32Array;

  constructor(weighted: WeightedNode, values: Float32Array) {
    const { weightTensor, group, axis } = weighted;
    const [rows = 1, width = 1] = weightTensor.dims;
    this.weighted = weighted;
    this.#values = values;
    this.#rowsPerGroup = rows / group;
    this.#width = width;
    this.#rows = new Float64Array(rows).fill(1);
    this.#columns = new Float64Array(width * group).fill(1);
    this.outputs = axis === 0 ? this.#rows : this.#columns;
    this.inputs = axis === 0 ? this.#columns : this.#rows;
    this.#largest = largestOf(values, rows * width);
    // Not a number, too, is passed on by Math.max.
    this.isFinite = this.#largest.every(Number.isFinite);
    this.#forget();
  }

  /** The largest magnitude of each output channel's weights, scaled as they are now; 0 where it is next to nothing. */
  outputRanges(): Float64Array {
    return this.outputs === this.#rows ? this.#rowRanges() : this.#columnRanges();
  }

  inputRanges(): Float64Array {
    return this.inputs === this.#rows ? this.#rowRanges() : this.#columnRanges();
  }

  /** The weights, scaled as they are now. */
  scaledValues(): Float32Array {
    const scaled = new Float32Array(this.#values.length);
    const kernel = scaled.length / this.#largest.length;
    let at = 0;
    for (const [row, byRow] of this.#rows.entries()) {
      const first = this.#firstColumn(row);
      for (let column = first; column < first + this.#width; column += 1) {
        const factor = byRow * (this.#columns[column] as number);
        for (let end = at + kernel; at < end; at += 1)
          scaled[at] = (this.#values[at] as number) * factor;
      }
    }
    return scaled;
  }

  #rowRanges(): Float64Array {
    return this.#rows.map((byRow, row) => {
      const [first, at] = [this.#firstColumn(row), row * this.#width];
      let range = 0;
      for (let column = 0; column < this.#width; column += 1) {
        const byColumn = this.#columns[first + column] as number;
        range = Math.max(range, (this.#largest[at + column] as number) * byColumn);
      }
      return range * byRow;
    });
  }

  #columnRanges(): Float64Array {
    const ranges = new Float64Array(this.#columns.length);
    for (const [row, byRow] of this.#rows.entries()) {
      const [first, at] = [this.#firstColumn(row), row * this.#width];
      for (let column = 0; column < this.#width; column += 1) {
        const range = (this.#largest[at + column] as number) * byRow;
        if (range > (ranges[first + column] as number)) ranges[first + column] = range;
      }
    }
    return ranges.map((range, column) => range * (this.#columns[column] as number));
  }

  #firstColumn(row: number): number {
    return Math.floor(row / this.#rowsPerGroup) * this.#width;
  }

  /** Channels without range have none that could be matched, and what is scaled up with them is their bias alone. */
  #forget(): void {
    const rows = withoutRange(this.#rowRanges());
    const columns = withoutRange(this.#columnRanges());
    if (rows.size === 0 && columns.size === 0) return;
    for (const row of this.#rows.keys()) {
      const [first, at] = [this.#firstColumn(row), row * this.#width];
      for (let column = 0; column < this.#width; column += 1)
        if (rows.has(row) || columns.has(first + column)) this.#largest[at + column] = 0;
    }
  }
}

function largestOf(values: Float32Array, count: number): Float32Array {
  const largest = new Float32Array(count);
  const kernel = values.length / count;
  for (let place = 0, at = 0; place < count; place += 1) {
    let most = 0;
    for (const end = at + kernel; at < end; at += 1)
      most = Math.max(most, Math.abs(values[at] as number));
    largest[place] = most;
  }
  return largest;
}

/** Training leaves channels behind that do nothing, with weights near 1e-39. */
const leastRange = 1e-6;

/** The channels whose range is next to nothing beside the layer's largest. */
function withoutRange(ranges: Float64Array): ReadonlySet<number> {
  const least = leastRange * ranges.reduce((a, b) => Math.max(a, b), 0);
  return new Set([...ranges.keys()].filter((channel) => (ranges[channel] as number) < least));
}
