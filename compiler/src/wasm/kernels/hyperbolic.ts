import { bits, f32x4, integers, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitExp, emitLog, polynomial } from "./exponential.js";

const { add, subtract, multiply, divide } = f32x4;

export type Hyperbolic = "sinh" | "cosh" | "asinh" | "acosh" | "atanh";

/** From here on x² + 1 is x² in floats, and soon more than a float can be. */
const large = 1e9;

/**
 * Powers and logarithms; near 0, where those cancel, polynomials: of sinh its series, of the others Cephes'. Odd functions
 * are computed of |x|, and get their sign back.
 */
export function emitHyperbolic(
  f: FunctionBuilder,
  x: Local<"v128">,
  kind: Hyperbolic,
  fused: boolean,
): void {
  const [size, far, square] = [f.scratch("size"), f.scratch("far"), f.scratch("square")];
  const series = (of: Vector, coefficients: readonly number[]): Vector =>
    polynomial(f, of, coefficients, fused);
  /** size + size³·series(size²) below a limit, and what was computed of larger ones */
  const joined = (limit: number, coefficients: readonly number[]): void => {
    f.set(square, multiply(size, size));
    const near = add(size, multiply(multiply(size, square), series(square, coefficients)));
    const either = bits.select(near, far, f32x4.less(size, f.splat(limit)));
    f.set(x, bits.or(either, bits.and(x, integers(-0x8000_0000))));
  };
  /** log(a + b), of which the sum may be more than a float can be. */
  const logOfSum = (a: Vector, b: Vector): void => {
    f.set(far, add(multiply(a, f.splat(0.5)), multiply(b, f.splat(0.5))));
    emitLog(f, far);
    f.set(far, add(far, f.splat(Math.LN2)));
  };
  f.set(size, f32x4.absolute(x));
  switch (kind) {
    case "sinh":
    case "cosh": {
      // e^|x| is the square of a power that no |x| of a finite result makes infinite.
      f.set(far, multiply(size, f.splat(0.5)));
      emitExp(f, far, fused);
      const rising = multiply(multiply(far, f.splat(0.5)), far);
      const falling = divide(f.splat(0.5), multiply(far, far));
      if (kind === "cosh") return f.set(x, add(rising, falling));
      f.set(far, subtract(rising, falling));
      return joined(1, [1 / 362_880, 1 / 5040, 1 / 120, 1 / 6]);
    }
    case "asinh": {
      const root = f32x4.squareRoot(add(multiply(size, size), f.splat(1)));
      logOfSum(size, bits.select(size, root, f32x4.less(f.splat(large), size)));
      return joined(
        0.5,
        [2.012_200_330_9e-2, -4.269_934_097_2e-2, 7.484_758_608_8e-2, -1.666_628_813_4e-1],
      );
    }
    case "acosh": {
      f.set(square, subtract(x, f.splat(1)));
      const root = f32x4.squareRoot(multiply(square, add(x, f.splat(1))));
      logOfSum(x, bits.select(x, root, f32x4.less(f.splat(large), x)));
      const near = series(
        square,
        [
          1.759_688_107_1e-3, -7.527_288_671_3e-3, 2.645_490_501_9e-2, -1.178_474_170_3e-1,
          1.414_213_526_3,
        ],
      );
      const isFar = f32x4.less(f.splat(0.5), square);
      return f.set(x, bits.select(far, multiply(near, f32x4.squareRoot(square)), isFar));
    }
    case "atanh":
      f.set(far, divide(add(f.splat(1), size), subtract(f.splat(1), size)));
      emitLog(f, far);
      f.set(far, multiply(far, f.splat(0.5)));
      return joined(
        0.5,
        [
          1.817_400_783_49e-1, 8.243_703_010_58e-2, 1.466_914_317_3e-1, 1.997_821_645e-1,
          3.333_373_003_03e-1,
        ],
      );
    default:
      return kind satisfies never;
  }
}
