import { PareError } from "../error.js";
import { dtypeArray } from "../tensor/dtype.js";
import { floatsToHalves } from "../tensor/float16.js";
import { elementCount, type Tensor, type Tensors } from "../tensor/tensor.js";
import type { GoldenInput } from "./manifest.js";

/** Elements of all inputs together: more than a frame of 3,840 × 2,160 in colour has. */
const mostElements = 2 ** 25;

/**
 * The tensors that golden inputs describe, the same on every device.
 * @throws PareError BUNDLE_INVALID where they are larger than any model's
 */
export function goldenFeeds(inputs: readonly GoldenInput[]): Tensors {
  const elements = inputs.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  if (!(elements <= mostElements))
    throw new PareError("BUNDLE_INVALID", `The golden check's inputs have ${elements} elements.`);
  return Object.fromEntries(
    inputs.map((input) => {
      const { name, type, dims } = input;
      return [name, { type, dims, data: goldenData(input) }];
    }),
  );
}

function goldenData({ type, dims, seed, range: [low, high], values }: GoldenInput): Tensor["data"] {
  if (type === "string") return values;
  const next = splitmix32(seed);
  const noise = isFloat(type)
    ? () => low + ((high - low) * next()) / 2 ** 32
    : () => low + Math.floor((next() / 2 ** 32) * (high - low + 1));
  // As many as the dims say, whatever is given.
  const numbers = new Float64Array(elementCount(dims)).map(
    values ? (_, at) => values[at] ?? 0 : noise,
  );
  if (type === "float16") return floatsToHalves(numbers);
  if (/int64/.test(type) && !numbers.every(Number.isInteger))
    throw new PareError("BUNDLE_INVALID", "The golden check holds a fraction for whole numbers.");
  if (type === "int64") return BigInt64Array.from(numbers, BigInt);
  if (type === "uint64") return BigUint64Array.from(numbers, BigInt);
  return (dtypeArray[type] as Float32ArrayConstructor).from(numbers);
}

/** Sebastiano Vigna's SplitMix, in 32 bits: each call gives the next unsigned 32-bit integer. */
export function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

export function isFloat(type: string): boolean {
  return /^b?float/.test(type);
}
