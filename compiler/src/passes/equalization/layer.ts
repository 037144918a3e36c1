import type { WeightedNode } from "../../analysis/weighted-node.js";
import { isByOutputs } from "./links.js";

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
  readonly #outputsInRows: boolean;
  readonly #rowsPerGroup: number;
  readonly #columns: number;
  readonly #kernel: number;
  /** The largest magnitude over the kernel. */
  readonly #largest: Float64Array;

  constructor(weighted: WeightedNode, values: Float32Array) {
    const { weightTensor, group, node } = weighted;
    const [rows = 1, columns = 1, ...kernel] = weightTensor.dims;
    this.weighted = weighted;
    this.isFinite = values.every(Number.isFinite);
    this.#values = values;
    this.#outputsInRows = isByOutputs(node);
    this.#rowsPerGroup = rows / group;
    this.#columns = columns;
    this.#kernel = kernel.reduce((product, size) => product * size, 1);
    const [byRow, byColumn] = [filled(rows), filled(columns * group)];
    this.outputs = this.#outputsInRows ? byRow : byColumn;
    this.inputs = this.#outputsInRows ? byColumn : byRow;
    this.#largest = new Float64Array(rows * columns);
    for (let at = 0; at < values.length; at += 1) {
      const place = Math.floor(at / this.#kernel);
      const magnitude = Math.abs(values[at] as number);
      if (magnitude > (this.#largest[place] as number)) this.#largest[place] = magnitude;
    }
    this.#forget();
  }

  /** The largest magnitude of each output channel's weights, scaled as they are now; 0 where it is next to nothing. */
  outputRanges(): Float64Array {
    return this.#ranges(this.#outputsInRows);
  }

  inputRanges(): Float64Array {
    return this.#ranges(!this.#outputsInRows);
  }

  /** The weights, scaled as they are now. */
  scaledValues(): Float32Array {
    const { row, column } = this.#factors();
    return this.#values.map((value, at) => {
      const place = Math.floor(at / this.#kernel);
      return value * (row[this.#row(place)] as number) * (column[this.#column(place)] as number);
    });
  }

  /** Channels without range have none that could be matched, and what is scaled up with them is their bias alone. */
  #forget(): void {
    const rows = withoutRange(this.#ranges(true));
    const columns = withoutRange(this.#ranges(false));
    for (let place = 0; place < this.#largest.length; place += 1)
      if (rows.has(this.#row(place)) || columns.has(this.#column(place))) this.#largest[place] = 0;
  }

  #ranges(ofRows: boolean): Float64Array {
    const { row, column } = this.#factors();
    const ranges = new Float64Array(ofRows ? row.length : column.length);
    for (let place = 0; place < this.#largest.length; place += 1) {
      const [r, c] = [this.#row(place), this.#column(place)];
      const range = (this.#largest[place] as number) * (row[r] as number) * (column[c] as number);
      const channel = ofRows ? r : c;
      if (range > (ranges[channel] as number)) ranges[channel] = range;
    }
    return ranges;
  }

  #factors(): { row: Float64Array; column: Float64Array } {
    return this.#outputsInRows
      ? { row: this.outputs, column: this.inputs }
      : { row: this.inputs, column: this.outputs };
  }

  #row(place: number): number {
    return Math.floor(place / this.#columns);
  }

  #column(place: number): number {
    const group = Math.floor(this.#row(place) / this.#rowsPerGroup);
    return group * this.#columns + (place % this.#columns);
  }
}

/** Training leaves channels behind that do nothing, with weights near 1e-39. */
const leastRange = 1e-6;

/** The channels whose range is next to nothing beside the layer's largest. */
function withoutRange(ranges: Float64Array): ReadonlySet<number> {
  const least = leastRange * ranges.reduce((a, b) => Math.max(a, b), 0);
  return new Set([...ranges.keys()].filter((channel) => (ranges[channel] as number) < least));
}

function filled(count: number): Float64Array {
  return new Float64Array(count).fill(1);
}
