import {
  bits,
  doubles,
  f32x4,
  f64x2,
  floats,
  i32x4,
  integers,
  type Local,
  shuffle,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";

const { add, subtract, multiply } = f32x4;

/**
 * sin x or cos x: x = n·π/2 + r with |r| ≤ π/4, found in double precision, so that it holds for all angles up to 10⁸; of r
 * Cephes' sinf and cosf by their polynomials, and n tells which of them, with which sign.
 */
export function emitTurn(f: FunctionBuilder, x: Local<"v128">, kind: "sin" | "cos"): void {
  const [n, r, z] = [f.scratch("turn n"), f.scratch("turn r"), f.scratch("turn z")];
  const halves = [
    [0, 1, 2, 3],
    [2, 3, 0, 1],
  ];
  const turns = halves.map((lanes) => {
    const angle = f64x2.fromFloats(shuffle(x, x, lanes));
    const whole = f64x2.nearest(f64x2.multiply(angle, doubles(2 / Math.PI)));
    const rest = f64x2.subtract(angle, f64x2.multiply(whole, doubles(Math.PI / 2)));
    return { whole: f64x2.toIntegers(whole), rest: f64x2.toFloats(rest) };
  });
  const joined = (of: "whole" | "rest"): Vector => {
    const [low = floats(0), high = floats(0)] = turns.map((turn) => turn[of]);
    return shuffle(low, high, [0, 1, 4, 5]);
  };
  f.set(r, joined("rest"));
  f.set(n, kind === "sin" ? joined("whole") : i32x4.add(joined("whole"), integers(1)));
  f.set(z, multiply(r, r));
  const sine = add(
    multiply(
      multiply(horner(z, [-1.951_529_589_1e-4, 8.332_160_873_6e-3, -1.666_665_461_1e-1]), z),
      r,
    ),
    r,
  );
  const series = horner(
    z,
    [2.443_315_711_809_948e-5, -1.388_731_625_493_765e-3, 4.166_664_568_298_827e-2],
  );
  const cosine = add(
    subtract(multiply(multiply(series, z), z), multiply(z, floats(0.5))),
    floats(1),
  );
  const isOdd = i32x4.negate(bits.and(n, integers(1)));
  const sign = i32x4.shiftLeft(bits.and(n, integers(2)), 30);
  f.set(x, bits.exclusiveOr(bits.select(cosine, sine, isOdd), sign));
}

/** tan x = sin x / cos x */
export function emitTangent(f: FunctionBuilder, x: Local<"v128">): void {
  const sine = f.scratch("sine");
  f.set(sine, x);
  emitTurn(f, sine, "sin");
  emitTurn(f, x, "cos");
  f.set(x, f32x4.divide(sine, x));
}

/**
 * The angle of a tangent, a sine or a cosine. The others' tangents are x / √((1 − x)(1 + x)) and, of half the angle,
 * √((1 − x) / (1 + x)); beyond 1 they are no number.
 */
export function emitArc(
  f: FunctionBuilder,
  x: Local<"v128">,
  kind: "atan" | "asin" | "acos",
): void {
  if (kind !== "atan") {
    const [below, above] = [subtract(f.splat(1), x), add(f.splat(1), x)];
    const root = kind === "asin" ? multiply(below, above) : f32x4.divide(below, above);
    f.set(x, kind === "asin" ? f32x4.divide(x, f32x4.squareRoot(root)) : f32x4.squareRoot(root));
  }
  emitArcTangent(f, x);
  if (kind === "acos") f.set(x, add(x, x));
}

/** Cephes' atanf: beyond tan 3π/8 of −1/x, beyond tan π/8 of (x − 1) / (x + 1), each a part of a turn further. */
function emitArcTangent(f: FunctionBuilder, x: Local<"v128">): void {
  const [sign, r, z, base] = ["arc sign", "arc r", "arc z", "arc base"].map((name) =>
    f.scratch(name),
  );
  if (!sign || !r || !z || !base) return;
  f.set(sign, bits.and(x, integers(-(2 ** 31))));
  f.set(x, f32x4.absolute(x));
  const isFar = f32x4.less(f.splat(Math.tan((3 * Math.PI) / 8)), x);
  const isBeyond = f32x4.less(f.splat(Math.tan(Math.PI / 8)), x);
  const one = f.splat(1);
  const near = bits.select(f32x4.divide(subtract(x, one), add(x, one)), x, isBeyond);
  f.set(r, bits.select(f32x4.divide(f.splat(-1), x), near, isFar));
  const part = bits.and(isBeyond, f.splat(Math.PI / 4));
  f.set(base, bits.select(f.splat(Math.PI / 2), part, isFar));
  f.set(z, multiply(r, r));
  const series = horner(
    z,
    [8.053_744_495_38e-2, -1.387_768_560_32e-1, 1.997_771_064_78e-1, -3.333_294_915_39e-1],
  );
  f.set(r, add(multiply(multiply(series, z), r), r));
  f.set(x, bits.exclusiveOr(add(base, r), sign));
}

function horner(z: Vector, [first = 0, ...rest]: readonly number[]): Vector {
  return rest.reduce((sum, c) => add(multiply(sum, z), floats(c)), floats(first));
}
