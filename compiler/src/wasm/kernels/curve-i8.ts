import { f32x4, floats, type Local } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";

/** A function that a sum goes through before it is rounded. */
export interface Curve {
  readonly kind: "hard-swish";
  /** A sixth of the result's scale. */
  readonly slope: number;
}

/**
 * Hard swish of numbers in steps of the result's scale s, in place: with x = s·t, x · clip(x/6 + ½, 0, 1) is s times
 *
 *     t · clip(t·(s/6) + ½, 0, 1)
 */
export function emitCurve(f: FunctionBuilder, t: Local<"v128">, { slope }: Curve): void {
  const line = f32x4.add(f32x4.multiply(t, f.spread("slope", bitsOf(slope))), floats(0.5));
  const clip = f32x4.larger(f32x4.smaller(line, floats(1)), floats(0));
  f.set(t, f32x4.multiply(t, clip));
}

export function curved(t: number, { slope }: Curve): number {
  const line = Math.fround(Math.fround(t * Math.fround(slope)) + 0.5);
  return Math.fround(t * Math.max(Math.min(line, 1), 0));
}

/** Of a float. */
export function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}
