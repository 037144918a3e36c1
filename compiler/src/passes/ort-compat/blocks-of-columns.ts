/** How `MatMulNBits` of com.microsoft stores a matrix. */
export interface BlockFormat {
  readonly bits: 2 | 4 | 8;
  /** Rows that share a scale; a power of two of at least 16. */
  readonly blockSize: number;
  /** The zero point is the middle, and is not stored. */
  readonly symmetric: boolean;
}

export interface Blocks {
  /** [columns, blocks, blockSize × bits / 8] */
  readonly data: Uint8Array;
  /** [columns, blocks] */
  readonly scales: Float32Array;
  /** [columns, ⌈blocks × bits / 8⌉]; absent where symmetric */
  readonly zeroPoints: Uint8Array | undefined;
}

/**
 * A matrix [rows, columns] in blocks down its columns, byte for byte as onnxruntime's `MatMulNBitsQuantizer` rounds it
 * (1.31.1: core/mlas/lib/q4_dq.cpp). All in float32; half is rounded away from zero; a symmetric scale has the sign that
 * lets the number of the largest magnitude be the least integer. Where the last byte of a column is not full, it keeps what
 * the byte before it had there.
 */
export function blocksOfColumns(
  values: Float32Array,
  rows: number,
  columns: number,
  format: BlockFormat,
): Blocks {
  const { bits, blockSize, symmetric } = format;
  const count = Math.ceil(rows / blockSize);
  const each = 8 / bits;
  const [most, middle] = [2 ** bits - 1, 2 ** (bits - 1)];
  const bytes = blockSize / each;
  const pointBytes = Math.ceil(count / each);
  const data = new Uint8Array(columns * count * bytes);
  const scales = new Float32Array(columns * count);
  const zeroPoints = new Uint8Array(columns * pointBytes).fill(filled(middle, bits));
  const slots = new Uint8Array(each);
  const numbers = new Float32Array(blockSize);
  for (let column = 0; column < columns; column += 1)
    for (let block = 0; block < count; block += 1) {
      if (block % each === 0) slots.fill(0);
      const start = block * blockSize;
      const length = Math.min(rows - start, blockSize);
      for (let index = 0; index < length; index += 1)
        numbers[index] = values[(start + index) * columns + column] as number;
      const { scale, zeroPoint } = scaleOf(numbers.subarray(0, length), format);
      scales[column * count + block] = scale;
      const shift = (block % each) * bits;
      const at = column * pointBytes + Math.floor(block / each);
      zeroPoints[at] = ((zeroPoints[at] as number) & ~(most << shift)) | (zeroPoint << shift);
      const reciprocal = scale === 0 ? 0 : Math.fround(1 / scale);
      let to = (column * count + block) * bytes;
      for (let from = 0; from < length; from += each, to += 1) {
        for (let slot = 0; slot < each && from + slot < length; slot += 1) {
          const steps = Math.fround((numbers[from + slot] as number) * reciprocal);
          slots[slot] = clamp(roundAway(Math.fround(steps + zeroPoint)), most);
        }
        let byte = 0;
        for (let slot = 0; slot < each; slot += 1) byte |= (slots[slot] as number) << (slot * bits);
        data[to] = byte;
      }
    }
  return { data, scales, zeroPoints: symmetric ? undefined : zeroPoints };
}

function scaleOf(
  numbers: Float32Array,
  { bits, symmetric }: BlockFormat,
): { readonly scale: number; readonly zeroPoint: number } {
  const [most, middle] = [2 ** bits - 1, 2 ** (bits - 1)];
  let [min, max] = [0, 0];
  for (const number of numbers) {
    if (number < min) min = number;
    if (number > max) max = number;
  }
  if (symmetric) {
    const largest = Math.abs(max) > Math.abs(min) ? max : min;
    return { scale: Math.fround(largest / -middle), zeroPoint: middle };
  }
  const scale = Math.fround(Math.fround(max - min) / most);
  const point = scale === 0 ? 0 : roundAway(Math.fround(0 - Math.fround(min / scale)));
  return { scale, zeroPoint: clamp(point, most) };
}

function roundAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

function clamp(x: number, most: number): number {
  return Math.min(Math.max(x, 0), most);
}

/** A byte in which every slot holds this. */
function filled(value: number, bits: number): number {
  let byte = 0;
  for (let shift = 0; shift < 8; shift += bits) byte |= value << shift;
  return byte;
}
