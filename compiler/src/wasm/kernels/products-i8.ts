import { bits, i32x4, integers, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { dots, halves } from "../encode/integer-vectors.js";
import type { Engine } from "../engine.js";

/** Which bytes an activation has: 0…127, of which relaxed SIMD has an exact product, or 0…255. */
export type Activations = "7-bit" | "8-bit";

/** Bytes that are multiplied at once and added up: four neighbours in each lane of 32 bits. */
export const step = 4;

/** A vector of bytes as products take it: as it is, or its even and its odd bytes in lanes of 16 bits. */
export interface Factor {
  readonly even: Local<"v128">;
  readonly odd: Local<"v128"> | undefined;
}

/** Are bytes multiplied as they are? Else they are widened to 16 bits. */
export function multipliesBytes(activations: Activations, engine: Engine): boolean {
  return activations === "7-bit" && engine.name === "relaxed-simd";
}

/**
 * Sums of products of signed weights with unsigned activations, exact in 32 bits. Relaxed SIMD has one instruction for
 * it, where activations have 7 bits. Else both are widened to 16 bits, even bytes and odd ones apart, so that they need
 * not be put in another order:
 *
 *     sum[lane] += (w₀·x₀ + w₂·x₂) + (w₁·x₁ + w₃·x₃)
 */
export class Products {
  readonly #f: FunctionBuilder;
  readonly #relaxed: boolean;

  constructor(f: FunctionBuilder, activations: Activations, engine: Engine) {
    this.#f = f;
    this.#relaxed = multipliesBytes(activations, engine);
  }

  factor(): Factor {
    return { even: this.#f.local("v128"), odd: this.#relaxed ? undefined : this.#f.local("v128") };
  }

  setWeights({ even, odd }: Factor, bytes: Vector): void {
    this.#f.set(even, bytes);
    if (odd === undefined) return;
    this.#f.set(odd, halves.shiftRight(even, 8));
    this.#f.set(even, halves.shiftRight(halves.shiftLeft(even, 8), 8));
  }

  setInput({ even, odd }: Factor, bytes: Vector): void {
    this.#f.set(even, bytes);
    if (odd === undefined) return;
    this.#f.set(odd, halves.shiftRightUnsigned(even, 8));
    this.#f.set(even, bits.and(even, integers(0x00ff00ff)));
  }

  add(sum: Local<"v128">, weights: Factor, input: Factor): void {
    const { odd } = weights;
    if (odd === undefined || input.odd === undefined) {
      this.#f.set(sum, dots.relaxedOfBytes(weights.even, input.even, sum));
      return;
    }
    const [a, b] = [dots.ofHalves(weights.even, input.even), dots.ofHalves(odd, input.odd)];
    this.#f.set(sum, i32x4.add(i32x4.add(a, b), sum));
  }
}

/** A signed byte of memory. */
export function signed(byte: number | undefined): number {
  return ((byte ?? 0) << 24) >> 24;
}
