import { bits, f32x4, i32x4, integers, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { multiplyAdd } from "./multiply-add.js";

const { add, subtract, multiply, larger, smaller } = f32x4;

/** c₀·xⁿ + c₁·xⁿ⁻¹ + …, by Horner's scheme. */
export function polynomial(
  f: FunctionBuilder,
  x: Vector,
  coefficients: readonly number[],
  fused = false,
): Vector {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce<Vector>((sum, c) => multiplyAdd(sum, x, f.splat(c), fused), f.splat(first));
}

/** To a float below 2²² it adds the nearest integer, ties to even: that is then in the lowest bits. */
const roundsToInteger = 1.5 * 2 ** 23;
const bitsOfOne = 0x3f80_0000;

/**
 * Cephes' expf: x = n·ln 2 + r, and eʳ by a polynomial; 2ⁿ is put together from bits. Relative error below 2e-7. Where eˣ is
 * beyond what floats of full precision can be, it is one of the last of these.
 */
export function emitExp(f: FunctionBuilder, x: Local<"v128">, fused = false): void {
  const [n, r] = [f.scratch("exp n"), f.scratch("exp r")];
  const power = f.scratch("exp power");
  emitNearest(f, x, n, [-87.33, 88.376_26], fused);
  f.set(power, powerOfTwo(n));
  f.set(x, multiply(mantissaOf(f, x, n, r, fused), power));
}

/** The same to infinity and, by floats of less precision, to 0: 2ⁿ is a product of two powers. */
export function emitWholeExp(f: FunctionBuilder, x: Local<"v128">, fused = false): void {
  const [n, r] = [f.scratch("exp n"), f.scratch("exp r")];
  const [power, half] = [f.scratch("exp power"), f.scratch("exp half")];
  emitNearest(f, x, n, [-104, 89], fused);
  f.set(half, i32x4.shiftRight(n, 1));
  f.set(power, powerOfTwo(i32x4.subtract(n, half)));
  f.set(half, powerOfTwo(half));
  f.set(x, multiply(mantissaOf(f, x, n, r, fused), half));
  f.set(x, multiply(x, power));
}

/** x within bounds, and the nearest integer to x / ln 2 in the lowest bits of n. */
function emitNearest(
  f: FunctionBuilder,
  x: Local<"v128">,
  n: Local<"v128">,
  [low, high]: readonly [number, number],
  fused: boolean,
): void {
  f.set(x, smaller(larger(x, f.splat(low)), f.splat(high)));
  f.set(n, multiplyAdd(x, f.splat(Math.LOG2E), f.splat(roundsToInteger), fused));
}

/** 2 to the integer in the lowest bits. */
function powerOfTwo(n: Vector): Vector {
  return i32x4.add(i32x4.shiftLeft(n, 23), integers(bitsOfOne));
}

/** eʳ */
function mantissaOf(
  f: FunctionBuilder,
  x: Local<"v128">,
  n: Local<"v128">,
  r: Local<"v128">,
  fused: boolean,
): Vector {
  f.set(n, subtract(n, f.splat(roundsToInteger)));
  f.set(r, multiplyAdd(n, f.splat(-0.693_359_375), x, fused));
  f.set(r, multiplyAdd(n, f.splat(2.121_944_4e-4), r, fused));
  const p = polynomial(
    f,
    r,
    [
      1.987_569_15e-4, 1.398_199_950_7e-3, 8.333_451_907_3e-3, 4.166_579_589_4e-2,
      1.666_666_545_9e-1, 5.000_000_120_1e-1,
    ],
    fused,
  );
  return add(multiplyAdd(p, multiply(r, r), r, fused), f.splat(1));
}

/** Cephes' logf: x = 2ᵉ·m with m near 1, and log m by a polynomial. */
export function emitLog(f: FunctionBuilder, x: Local<"v128">): void {
  const [m, e, low] = [f.scratch("log m"), f.scratch("log e"), f.scratch("log low")];
  f.set(m, bits.or(bits.and(x, integers(0x007f_ffff)), integers(0x3f00_0000)));
  f.set(e, f32x4.fromIntegers(i32x4.subtract(i32x4.shiftRight(x, 23), integers(126))));
  f.set(low, f32x4.less(m, f.splat(Math.SQRT1_2)));
  f.set(e, subtract(e, bits.and(f.splat(1), low)));
  f.set(m, subtract(add(m, bits.and(m, low)), f.splat(1)));
  const p = polynomial(
    f,
    m,
    [
      7.037_683_629_2e-2, -1.151_461_031e-1, 1.167_699_874e-1, -1.242_014_084_6e-1,
      1.424_932_278_7e-1, -1.666_805_766_5e-1, 2.000_071_476_5e-1, -2.499_999_399_3e-1,
      3.333_333_117_4e-1,
    ],
  );
  f.set(low, multiply(m, m));
  const series = subtract(
    add(multiply(multiply(p, low), m), multiply(e, f.splat(-2.121_944_4e-4))),
    multiply(low, f.splat(0.5)),
  );
  f.set(m, add(add(m, series), multiply(e, f.splat(0.693_359_375))));
  f.set(m, bits.select(f.splat(-Infinity), m, f32x4.equal(x, f.splat(0))));
  f.set(m, bits.select(x, m, f32x4.equal(x, f.splat(Infinity))));
  f.set(x, bits.select(m, f.splat(Number.NaN), f32x4.lessOrEqual(f.splat(0), x)));
}
