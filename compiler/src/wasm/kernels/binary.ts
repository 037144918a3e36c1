import {
  bits,
  f32x4,
  f64x2,
  floats,
  integers,
  type Local,
  shuffle,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitLog, emitWholeExp } from "./exponential.js";

/** A function of two numbers. */
export type Binary =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "min"
  | "max"
  | "prelu"
  | "remainder"
  | "power";

const [zero, infinity] = [floats(0), floats(Infinity)];

/**
 * Writes result ← function(x, y), four at a time. `prelu`: x where it is not below 0, else x times the other.
 * `remainder`: what is left of a division towards zero.
 */
export function emitBinary(
  f: FunctionBuilder,
  result: Local<"v128">,
  x: Vector,
  y: Vector,
  binary: Binary,
): void {
  switch (binary) {
    case "add":
    case "subtract":
    case "multiply":
    case "divide":
    case "min":
    case "max":
      return f.set(result, f32x4[binary](x, y));
    case "prelu":
      // Not as a sum of both: a slope that is no finite number concerns what is below 0 alone.
      return f.set(result, bits.select(f32x4.multiply(x, y), x, f32x4.less(x, zero)));
    case "remainder":
      return emitRemainder(f, result, x, y);
    case "power":
      return emitPower(f, result, x, y);
    default:
      return binary satisfies never;
  }
}

/** x − trunc(x / y)·y in double precision: exact while the quotient is below 2²⁸. Of an infinite y all of x is left. */
function emitRemainder(
  f: FunctionBuilder,
  result: Local<"v128">,
  given: Vector,
  divisor: Vector,
): void {
  const [x, y] = [f.scratch("remainder x"), f.scratch("remainder y")];
  f.set(x, given);
  f.set(y, divisor);
  const half = (lanes: readonly number[]): Vector => {
    const part = (of: Vector): Vector => f64x2.fromFloats(shuffle(of, of, lanes));
    const whole = f64x2.truncate(f64x2.divide(part(x), part(y)));
    return f64x2.toFloats(f64x2.subtract(part(x), f64x2.multiply(whole, part(y))));
  };
  const rest = shuffle(half([0, 1, 2, 3]), half([2, 3, 0, 1]), [0, 1, 4, 5]);
  const isAll = bits.and(
    f32x4.equal(f32x4.absolute(y), infinity),
    f32x4.less(f32x4.absolute(x), infinity),
  );
  f.set(result, bits.select(x, rest, isAll));
}

/**
 * e^(y·log|x|), with the sign of x where y is odd. A power of what is below 0, and finite, is a number only for whole y. As in
 * C, all powers of 1 are 1, and so is what has the exponent 0.
 */
function emitPower(f: FunctionBuilder, result: Local<"v128">, base: Vector, power: Vector): void {
  const [x, y, e] = [f.scratch("power x"), f.scratch("power y"), f.scratch("power e")];
  const one = floats(1);
  f.set(x, base);
  f.set(y, power);
  f.set(e, f32x4.absolute(x));
  emitLog(f, e);
  f.set(e, f32x4.multiply(e, y));
  emitWholeExp(f, e);
  f.set(e, bits.select(one, e, f32x4.equal(f32x4.absolute(x), one)));
  const half = f32x4.multiply(y, floats(0.5));
  const isEven = f32x4.equal(f32x4.floor(half), half);
  const isWhole = f32x4.equal(f32x4.floor(y), y);
  const isOdd = bits.exclusiveOr(isWhole, isEven);
  f.set(e, bits.or(e, bits.and(bits.and(x, integers(-0x8000_0000)), isOdd)));
  const isBelow = bits.and(f32x4.less(x, zero), f32x4.less(floats(-Infinity), x));
  const ofNegative = bits.select(e, floats(Number.NaN), isWhole);
  f.set(e, bits.select(ofNegative, e, isBelow));
  f.set(result, bits.select(one, e, f32x4.equal(y, zero)));
}

export function evaluateBinary(x: number, y: number, binary: Binary): number {
  switch (binary) {
    case "add":
      return x + y;
    case "subtract":
      return x - y;
    case "multiply":
      return x * y;
    case "divide":
      return x / y;
    case "min":
      return Math.min(x, y);
    case "max":
      return Math.max(x, y);
    case "prelu":
      return x < 0 ? x * y : x;
    case "remainder":
      return x % y;
    case "power":
      // Infinite powers of 1 are no numbers in JavaScript.
      return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
    default:
      return binary satisfies never;
  }
}
