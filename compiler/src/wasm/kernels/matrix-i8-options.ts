import type { Axis } from "./nest.js";
import type { Activations } from "./products-i8.js";
import type { SumResult } from "./rounding-i8.js";

/**
 * A convolution, or a product of matrices, on bytes: result[row, column, n] = Σ over taps and run of input · weight, from
 * a start on and times a factor of its channel. Zero points are in the start. Channels lie innermost, pads are the zero
 * point around the input in memory, and what a run reads beyond its elements has weights of zero.
 */
export interface MatrixI8Options {
  /** Around it all: images, groups. Steps of all five parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output, other. */
  readonly rows: Axis;
  readonly columns: Axis;
  /**
   * So many columns, which it divides, are computed of all channels before the next are; where it is not given, all rows and
   * columns of one panel before the next.
   */
  readonly block?: number;
  /** Of the kernel, around the run: steps of the input. */
  readonly taps: readonly Axis[];
  /** Bytes of the input that are summed over, a multiple of four. */
  readonly run: number;
  /** Channels of the result. */
  readonly outputs: number;
  readonly activations: Activations;
  /** Another tensor of bytes that is added: times a factor, its zero point taken off. */
  readonly other?: { readonly factor: number; readonly zeroPoint: number };
  readonly result: SumResult;
  /** What is behind the last channel, up to a whole vector, is the output's own. */
  readonly padded: boolean;
}
