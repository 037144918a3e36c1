import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { laneCount, vectorBytes, vectorsOf } from "./kernel.js";

/** What decides how weights lie. */
type Shape = Pick<DepthwiseI8Options, "taps" | "columns">;

/** Taps of a row of the kernel that lie next to one another, of each channel. */
export const quad = 4;

/**
 * How weights lie: vectors of channels one after the other, of each rows of the kernel, of each quads of its taps, of each
 * the vectors for the first and, where its taps lie within the same quads, the second of two neighbouring results. A vector
 * has one channel's four taps in each lane of 32 bits.
 */
export interface Cut {
  readonly results: 1 | 2;
  readonly quads: number;
  /** Taps from one result to the next. */
  readonly apart: number;
  /** Bytes of a row of the kernel, and of a vector of channels. */
  readonly rowBytes: number;
  readonly groupBytes: number;
}

export function cutOf({ taps, columns }: Shape): Cut {
  const [down, across] = taps;
  const [columnIn = 0] = columns.steps;
  const [tapStep = 1] = across.steps;
  const quads = Math.ceil(across.count / quad);
  const apart = columnIn / tapStep;
  const isFree = Number.isInteger(apart) && Math.ceil((across.count + apart) / quad) === quads;
  const results = columns.count > 1 && isFree ? 2 : 1;
  const rowBytes = quads * results * vectorBytes;
  return { results, quads, apart, rowBytes, groupBytes: down.count * rowBytes };
}

/** Where the weight of a tap lies, among those for the first or the second of two results. */
export function depthwiseI8At(
  row: number,
  column: number,
  c: number,
  result: number,
  shape: Shape,
): number {
  const { results, apart, rowBytes, groupBytes } = cutOf(shape);
  const slot = column + result * apart;
  const vector = Math.floor(slot / quad) * results + result;
  const place = vector * vectorBytes + (c % laneCount) * quad + (slot % quad);
  return Math.floor(c / laneCount) * groupBytes + row * rowBytes + place;
}

/** Weights in the order in which the kernel reads them. */
export function packedDepthwiseI8(
  weightOf: (c: number, row: number, column: number) => number,
  shape: Shape & Pick<DepthwiseI8Options, "channels">,
): Int8Array {
  const { taps, channels } = shape;
  const [down, across] = taps;
  const { results, groupBytes } = cutOf(shape);
  const packed = new Int8Array(vectorsOf(channels) * groupBytes);
  for (let c = 0; c < channels; c += 1)
    for (let row = 0; row < down.count; row += 1)
      for (let column = 0; column < across.count; column += 1)
        for (let result = 0; result < results; result += 1)
          packed[depthwiseI8At(row, column, c, result, shape)] = weightOf(c, row, column);
  return packed;
}
