import { numbersOf } from "./numbers.js";
import { dimsFit, type Tensor } from "./tensor.js";

/** How far a tensor is from the one that was expected, element by element. */
export interface TensorDistance {
  /**
   * The largest absolute difference. Equal infinities and two NaNs do not differ; Infinity where one element is a NaN or
   * an infinity that the other is not, where dims differ, and where elements that are no numbers do.
   */
  readonly difference: number;
  /** The largest finite absolute value that was expected. */
  readonly scale: number;
  /** The sum of squared differences; Infinity where `difference` is. */
  readonly noise: number;
  /** The sum of the squares of the finite values that were expected. */
  readonly signal: number;
}

const equal: TensorDistance = { difference: 0, scale: 0, noise: 0, signal: 0 };
const apart: TensorDistance = { difference: Infinity, scale: 0, noise: Infinity, signal: 0 };

/**
 * Numbers are compared as numbers, whatever the types that hold them: float16 and bfloat16 are not their bits, and
 * 64-bit integers do not round.
 * @param actual undefined where there is none, which is apart from anything
 */
export function distanceOf(expected: Tensor, actual: Tensor | undefined): TensorDistance {
  if (actual === undefined || !dimsFit(expected.dims, actual.dims)) return apart;
  const [a, b] = [numbersOf(expected), numbersOf(actual)];
  if (a === null || b === null)
    return expected.type === actual.type && sameElements(expected, actual) ? equal : apart;
  if (a.length !== b.length) return apart;
  const gap = gapOfIntegers(expected, actual);
  let [difference, scale, noise, signal] = [0, 0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] as number, b[at] as number];
    const size = Math.abs(x);
    if (size < Infinity) {
      if (size > scale) scale = size;
      signal += x * x;
    }
    const between = gap ? gap(at) : gapOfNumbers(x, y);
    if (between > difference) difference = between;
    noise += between * between;
  }
  return { difference, scale, noise, signal };
}

/**
 * The largest absolute difference over the largest finite absolute value that was expected; the difference itself where
 * nothing else than zeros was. As `TensorDistance.difference`, 0 for equal tensors and Infinity for what cannot be
 * compared.
 */
export function relativeDistance(expected: Tensor, actual: Tensor | undefined): number {
  const { difference, scale } = distanceOf(expected, actual);
  return difference / (scale || 1);
}

function gapOfNumbers(x: number, y: number): number {
  if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
  const gap = Math.abs(x - y);
  return Number.isNaN(gap) ? Infinity : gap;
}

/** Of two tensors of 64-bit integers the exact differences; null for others, whose numbers are exact as they are. */
function gapOfIntegers({ data: a }: Tensor, { data: b }: Tensor): ((at: number) => number) | null {
  if (!isWide(a) || !isWide(b)) return null;
  return (at) => Math.abs(Number((a[at] ?? 0n) - (b[at] ?? 0n)));
}

function isWide(data: Tensor["data"]): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

function sameElements({ data: a }: Tensor, { data: b }: Tensor): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!Object.is(a[at], b[at])) return false;
  return true;
}
