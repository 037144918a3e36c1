import { roundHalfEven } from "../../ops/reference/round-half-even.js";
import { f32x4, floats, i32x4, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { bytes, lanes } from "../encode/integer-vectors.js";
import { type Curve, curved, emitCurve } from "./curve-i8.js";
import { laneCount } from "./kernel.js";

/** How real numbers, in steps of a result's scale, become its bytes. */
export interface Rounding {
  readonly zeroPoint: number;
  /** The bytes that occur: what a rectifier would cut off is cut off here. */
  readonly low: number;
  readonly high: number;
  /** What is rounded may be so large that it must be bounded first. */
  readonly wide: boolean;
}

/** Beyond this, numbers are `wide`: adding 1.5·2²³ rounds them no more. */
export const mostRounded = 2 ** 21;
/** Added to a small number it leaves its nearest integer, ties to even, in the lowest bits of the sum. */
const unitsLast = 1.5 * 2 ** 23;
const unitsLastBits = 0x4b400000;

/** Writes x ← the nearest integer + zero point, in lanes of 32 bits; not yet within its bounds. */
export function emitRounded(
  f: FunctionBuilder,
  x: Local<"v128">,
  { zeroPoint, wide }: Rounding,
): void {
  const bounded = wide
    ? f32x4.larger(f32x4.smaller(x, floats(mostRounded)), floats(-mostRounded))
    : x;
  // The zero point is added afterwards: ties are even before it is.
  f.set(
    x,
    i32x4.subtract(
      f32x4.add(bounded, floats(unitsLast)),
      f.spread("zero point", unitsLastBits - zeroPoint),
    ),
  );
}

/** Writes `into` ← the bytes of one, two or four vectors of rounded integers, within their bounds. */
export function emitBytes(
  f: FunctionBuilder,
  into: Local<"v128">,
  rounded: readonly Vector[],
  rounding: Pick<Rounding, "low" | "high">,
): void {
  const [a, b = a, c, d = c] = rounded;
  if (a === undefined || b === undefined) return;
  const first = lanes.halvesOfWords(a, b);
  f.set(into, first);
  const second = c === undefined || d === undefined ? into : lanes.halvesOfWords(c, d);
  emitBytesOfHalves(f, into, into, second, rounding);
}

/** The same of vectors of 16-bit lanes. */
function emitBytesOfHalves(
  f: FunctionBuilder,
  into: Local<"v128">,
  first: Vector,
  second: Vector,
  { low, high }: Pick<Rounding, "low" | "high">,
): void {
  f.set(into, lanes.bytesOfHalves(first, second));
  if (low > 0) f.set(into, bytes.larger(into, f.spread("low", fourBytes(low))));
  if (high < 255) f.set(into, bytes.smaller(into, f.spread("high", fourBytes(high))));
}

function fourBytes(value: number): number {
  return Math.imul(value, 0x01010101);
}

/** The byte that a float becomes. */
export function roundedByte(x: number, { zeroPoint, low, high }: Rounding): number {
  const bounded = Math.min(Math.max(x, -mostRounded), mostRounded);
  return Math.min(Math.max(roundHalfEven(bounded) + zeroPoint, low), high);
}

/** What is made of sums: bytes, by a function before they are rounded where there is one, or floats as they are. */
export type Result =
  | (Rounding & { readonly kind: "bytes"; readonly curve?: Curve })
  | { readonly kind: "floats" };

/** The same, or the sums themselves. */
export type SumResult = Result | { readonly kind: "integers" };

/** Of a channel. */
export function resultBytes({ kind }: SumResult): number {
  return kind === "bytes" ? 1 : 4;
}

/** Bytes of what goes with a vector of channels: where sums begin, and what they are multiplied by. */
export const termBytes = 2 * laneCount * 4;

/** Sums as floats in steps of the result: the nearest float of each, times its channel's factor. */
export function emitScaled(f: FunctionBuilder, sum: Local<"v128">, factors: Vector): void {
  f.set(sum, f32x4.multiply(f32x4.fromIntegers(sum), factors));
}

/** Sums in steps of the result as what it rounds, and that rounded; of a result of floats or integers they stay. */
export function emitResult(f: FunctionBuilder, sum: Local<"v128">, result: SumResult): void {
  if (result.kind !== "bytes") return;
  if (result.curve !== undefined) emitCurve(f, sum, result.curve);
  emitRounded(f, sum, result);
}

/** The byte that a sum in steps of the result becomes. */
export function resultByte(x: number, result: Rounding & { readonly curve?: Curve }): number {
  return roundedByte(result.curve === undefined ? x : curved(x, result.curve), result);
}

export function scaled(sum: number, factor: number): number {
  return Math.fround(Math.fround(sum) * factor);
}

/** Where sums begin and their factors, by channel, as kernels read them: four of the one, then four of the other. */
export function packedTerms(
  starts: ArrayLike<number>,
  factors: ArrayLike<number>,
  channels: number,
): Int32Array {
  const count = Math.ceil(starts.length / channels) * Math.ceil(channels / laneCount);
  const packed = new Int32Array(count * 2 * laneCount);
  const asFloats = new Float32Array(packed.buffer);
  const vectors = Math.ceil(channels / laneCount);
  for (let at = 0; at < starts.length; at += 1) {
    const [group, c] = [Math.floor(at / channels), at % channels];
    const place = (group * vectors + Math.floor(c / laneCount)) * 2 * laneCount + (c % laneCount);
    packed[place] = starts[at] ?? 0;
    asFloats[place + laneCount] = factors[at] ?? 0;
  }
  return packed;
}

/** A channel's start and factor. */
export function termsAt(
  memory: { readonly floats: Float32Array; readonly integers: Int32Array },
  terms: number,
  c: number,
): { readonly start: number; readonly factor: number } {
  const place = terms / 4 + Math.floor(c / laneCount) * 2 * laneCount + (c % laneCount);
  return { start: memory.integers[place] ?? 0, factor: memory.floats[place + laneCount] ?? 0 };
}
