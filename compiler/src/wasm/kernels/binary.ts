import {
  bits,
  f32x4,
  f64x2,
  floats,
  type Local,
  shuffle,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitExp, emitLog } from "./exponential.js";

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

const zero = floats(0);

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
      return f.set(
        result,
        f32x4.add(f32x4.larger(x, zero), f32x4.multiply(f32x4.smaller(x, zero), y)),
      );
    case "remainder":
      return emitRemainder(f, result, x, y);
    case "power":
      return emitPower(f, result, x, y);
    default:
      return binary satisfies never;
  }
}

/** x − trunc(x / y)·y in double precision: exact while the quotient is below 2²⁸. */
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
  f.set(result, shuffle(half([0, 1, 2, 3]), half([2, 3, 0, 1]), [0, 1, 4, 5]));
}

/** e^(y·log|x|), with the sign of x where y is odd. A power of what is below 0 is a number only for whole y. */
function emitPower(f: FunctionBuilder, result: Local<"v128">, base: Vector, power: Vector): void {
  const [x, y, e] = [f.scratch("power x"), f.scratch("power y"), f.scratch("power e")];
  f.set(x, base);
  f.set(y, power);
  f.set(e, f32x4.absolute(x));
  emitLog(f, e);
  f.set(e, f32x4.multiply(e, y));
  emitExp(f, e);
  const ofZero = bits.select(zero, floats(Infinity), f32x4.less(zero, y));
  f.set(e, bits.select(ofZero, e, f32x4.equal(x, zero)));
  const half = f32x4.multiply(y, floats(0.5));
  const isEven = f32x4.equal(f32x4.floor(half), half);
  const signed = bits.select(e, f32x4.negate(e), isEven);
  const isWhole = f32x4.equal(f32x4.floor(y), y);
  const ofNegative = bits.select(signed, floats(Number.NaN), isWhole);
  f.set(e, bits.select(ofNegative, e, f32x4.less(x, zero)));
  f.set(result, bits.select(floats(1), e, f32x4.equal(y, zero)));
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
      return x ** y;
    default:
      return binary satisfies never;
  }
}
