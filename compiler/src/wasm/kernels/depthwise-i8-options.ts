import type { Axis } from "./nest.js";
import type { Activations } from "./products-i8.js";
import type { Result } from "./rounding-i8.js";

/** A convolution of every channel with a kernel of its own, on bytes. */
export interface DepthwiseI8Options {
  /** Images: steps of all four parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output. */
  readonly rows: Axis;
  readonly columns: Axis;
  readonly channels: number;
  /** The kernel's rows and columns: steps of the input, dilation included. */
  readonly taps: readonly [Axis, Axis];
  /** The input's rows, of which so many of one byte lie before, from the first window on, and others of it behind. */
  readonly border?: { readonly before: number; readonly rows: number; readonly value: number };
  readonly activations: Activations;
  readonly result: Result;
  /** What is behind the last channel, up to a multiple of four, is the output's own. */
  readonly padded: boolean;
}
