import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

const kernel = (attributes: AttributeReader): number =>
  (attributes.ints("kernel_shape") ?? []).reduce((product, size) => product * size, 1);

/** Of a Fourier transform every sample, of which there are at most as many as two for each frequency. */
const samples = (_: AttributeReader, output: readonly number[]): number => 2 * Math.max(...output);

/**
 * How many elements are looked at for one of the result, where attributes or the result's sizes say so: a file may make it
 * any number.
 */
export const window: Cells<(attributes: AttributeReader, output: readonly number[]) => number> = {
  AveragePool: kernel,
  LpPool: kernel,
  MaxPool: kernel,
  DFT: samples,
  STFT: samples,
  // Where a region's size decides, nothing is known before.
  RoiAlign(attributes) {
    const ratio = attributes.int("sampling_ratio", 0);
    return ratio > 0 ? 4 * ratio * ratio : Infinity;
  },
  // Of four places along each of up to three axes.
  GridSample: () => 64,
  LRN: (attributes) => attributes.int("size", 1),
};
