import type { Dtype, Tensor, Tensors } from "@pare/runtime/format";

/**
 * What is to be said of samples that hold NaN or infinity.
 * @param odd their ids
 * @param size of all samples
 * @returns null where there are none
 */
export function oddText(odd: readonly string[], size: number): string | null {
  const [first, ...others] = odd;
  if (first === undefined) return null;
  const named = others.length === 0 ? `holds NaN or infinity, "${first}"` : `hold NaN or infinity, first "${first}"`; // prettier-ignore
  return `${odd.length} of ${size} samples ${named}: figures and ranges that rest on them may mean nothing.`;
}

export function holdsOddNumbers(feeds: Tensors): boolean {
  return Object.values(feeds).some(isOdd);
}

function isOdd({ type, data }: Tensor): boolean {
  if (data instanceof Float32Array || data instanceof Float64Array) {
    // Of neither is the difference to itself 0.
    for (let at = 0; at < data.length; at++)
      if ((data[at] as number) - (data[at] as number) !== 0) return true;
    return false;
  }
  const exponent = exponents[type];
  if (exponent === undefined || !(data instanceof Uint16Array)) return false;
  return data.some((bits) => (bits & exponent) === exponent);
}

/** All ones there, in the bits of halves, are NaN or infinity. */
const exponents: Partial<Record<Dtype, number>> = { float16: 0x7c00, bfloat16: 0x7f80 };
