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

function horner(z: Vector, [first = 0, ...rest]: readonly number[]): Vector {
  return rest.reduce((sum, c) => add(multiply(sum, z), floats(c)), floats(first));
}
