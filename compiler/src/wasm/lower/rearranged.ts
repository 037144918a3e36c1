import type { Elements } from "../kernels/element.js";
import { floatBytes } from "../kernels/kernel.js";

/** A row-major constant by other steps; what lies between its elements is 0. */
export function rearranged(
  numbers: Elements,
  dims: readonly number[],
  steps: readonly number[],
  bytes: number,
): Elements {
  const { byteLength, BYTES_PER_ELEMENT: each } = numbers;
  let dense = byteLength;
  const isDense = dims.every((size, axis) => {
    dense /= size;
    return size === 1 || steps[axis] === dense;
  });
  if (isDense && bytes === byteLength) return numbers;
  const unit = each === 1 ? 1 : floatBytes;
  const unitsOf = (buffer: ArrayBufferLike, at: number, size: number): Uint8Array | Int32Array =>
    unit === 1 ? new Uint8Array(buffer, at, size) : new Int32Array(buffer, at, size / unit);
  const source = unitsOf(numbers.buffer, numbers.byteOffset, byteLength);
  const image = unitsOf(new ArrayBuffer(bytes), 0, bytes);
  const units = each / unit;
  for (let flat = 0; flat < numbers.length; flat += 1) {
    let [rest, place] = [flat, 0];
    for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
      const size = dims[axis] ?? 1;
      place += (rest % size) * (steps[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    for (let i = 0; i < units; i += 1) image[place / unit + i] = source[flat * units + i] ?? 0;
  }
  return image;
}
