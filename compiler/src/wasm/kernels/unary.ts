import { bits, f32x4, integers, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitHyperbolic, type Hyperbolic } from "./hyperbolic.js";
import { emitArc, emitTangent, emitTurn } from "./trigonometric.js";
import { erf } from "../../ops/reference/erf.js";
import { roundHalfEven } from "../../ops/reference/round-half-even.js";
import { emitExp, emitLog, emitWholeExp, polynomial } from "./exponential.js";
import { multiplyAdd } from "./multiply-add.js";

/** A function of one number; `quotient` divides one by it. */
export type Unary =
  | { readonly kind: "relu" }
  | { readonly kind: "clip"; readonly low: number; readonly high: number }
  | { readonly kind: "leaky-relu"; readonly slope: number }
  /** Below 0: alpha · (exp(x · within) − 1). */
  | { readonly kind: "elu"; readonly alpha: number; readonly within: number }
  | { readonly kind: "hard-sigmoid"; readonly alpha: number; readonly beta: number }
  | { readonly kind: "scale"; readonly by: number }
  | { readonly kind: "divide"; readonly by: number }
  | { readonly kind: "offset"; readonly by: number }
  | { readonly kind: "quotient"; readonly of: number }
  | { readonly kind: PlainUnary };

/** Those without parameters. */
export type PlainUnary =
  | "sigmoid"
  | "silu"
  | "tanh"
  | "hard-swish"
  | "gelu"
  | "gelu-tanh"
  | "erf"
  | "exp"
  | "log"
  | "square-root"
  | "square"
  | "cube"
  | "reciprocal"
  | "negate"
  | "absolute"
  | "floor"
  | "ceil"
  | "round"
  | "softplus"
  | "softsign"
  | "mish"
  | "sign"
  | "sin"
  | "cos"
  | "tan"
  | "asin"
  | "acos"
  | "atan"
  | Hyperbolic;

/**
 * Division by a constant: a product where its reciprocal is exact. By others a product would round twice, and 188 / 188 be
 * less than 1, of which a Floor or a Cast makes 0.
 */
export function dividedBy(c: number): Unary {
  const isExact = Number.isInteger(Math.log2(Math.abs(c))) && Math.abs(c) <= 2 ** 126;
  return isExact ? { kind: "scale", by: 1 / c } : { kind: "divide", by: c };
}

const { add, subtract, multiply, divide, larger, smaller } = f32x4;

/**
 * Writes x ← function(x), four at a time.
 * @param fused whether the engine has a fused multiply-add
 */
export function emitUnary(f: FunctionBuilder, x: Local<"v128">, unary: Unary, fused = false): void {
  switch (unary.kind) {
    case "relu":
      return f.set(x, larger(x, f.splat(0)));
    case "clip": {
      const raised = unary.low === -Infinity ? x : larger(x, f.splat(unary.low));
      return f.set(x, unary.high === Infinity ? raised : smaller(raised, f.splat(unary.high)));
    }
    case "leaky-relu": {
      const sloped = multiply(x, f.splat(unary.slope));
      // Below a slope of 1 the larger of the two is right on either side of 0.
      if (unary.slope >= 0 && unary.slope <= 1) return f.set(x, larger(x, sloped));
      return f.set(x, bits.select(sloped, x, f32x4.less(x, f.splat(0))));
    }
    case "elu": {
      const e = f.scratch("elu");
      f.set(e, unary.within === 1 ? x : multiply(x, f.splat(unary.within)));
      emitExp(f, e, fused);
      const below = multiply(subtract(e, f.splat(1)), f.splat(unary.alpha));
      return f.set(x, bits.select(below, x, f32x4.less(x, f.splat(0))));
    }
    case "hard-sigmoid":
      return f.set(x, hardSigmoid(f, x, unary.alpha, unary.beta, fused));
    case "hard-swish":
      return f.set(x, multiply(x, hardSigmoid(f, x, 1 / 6, 0.5, fused)));
    case "scale":
      return f.set(x, multiply(x, f.splat(unary.by)));
    case "divide":
      return f.set(x, divide(x, f.splat(unary.by)));
    case "offset":
      return f.set(x, add(x, f.splat(unary.by)));
    case "quotient":
      return f.set(x, divide(f.splat(unary.of), x));
    case "sigmoid":
      return emitSigmoid(f, x, fused);
    case "silu": {
      const gate = f.scratch("gate");
      f.set(gate, x);
      emitSigmoid(f, gate, fused);
      return f.set(x, multiply(x, gate));
    }
    case "tanh": // 1 − 2 / (e²ˣ + 1)
      f.set(x, add(x, x));
      emitExp(f, x, fused);
      return f.set(x, subtract(f.splat(1), divide(f.splat(2), add(x, f.splat(1)))));
    case "gelu": {
      const gate = f.scratch("gate");
      f.set(gate, multiply(x, f.splat(Math.SQRT1_2)));
      emitErf(f, gate, fused);
      f.set(x, multiply(x, f.splat(0.5)));
      return f.set(x, multiplyAdd(x, gate, x, fused));
    }
    case "gelu-tanh": {
      // ½x (1 + tanh(√(2/π)·(x + 0.044715·x³))) = x · sigmoid(2√(2/π)·(x + 0.044715·x³))
      const gate = f.scratch("gate");
      const cubic = add(multiply(multiply(x, x), f.splat(0.044715)), f.splat(1));
      f.set(gate, multiply(multiply(x, cubic), f.splat(2 * Math.sqrt(2 / Math.PI))));
      emitSigmoid(f, gate, fused);
      return f.set(x, multiply(x, gate));
    }
    case "erf":
      return emitErf(f, x, fused);
    case "exp":
      return emitWholeExp(f, x, fused);
    case "log":
      return emitLog(f, x);
    case "square-root":
      return f.set(x, f32x4.squareRoot(x));
    case "square":
      return f.set(x, multiply(x, x));
    case "cube":
      return f.set(x, multiply(multiply(x, x), x));
    case "reciprocal":
      return f.set(x, divide(f.splat(1), x));
    case "negate":
      return f.set(x, f32x4.negate(x));
    case "absolute":
      return f.set(x, f32x4.absolute(x));
    case "floor":
      return f.set(x, f32x4.floor(x));
    case "ceil":
      return f.set(x, f32x4.ceil(x));
    case "round":
      return f.set(x, f32x4.nearest(x));
    case "softplus": {
      // log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)
      const rest = f.scratch("softplus");
      f.set(rest, f32x4.negate(f32x4.absolute(x)));
      emitWholeExp(f, rest, fused);
      emitLogOfNext(f, rest);
      return f.set(x, add(larger(x, f.splat(0)), rest));
    }
    case "softsign":
      return f.set(x, divide(x, add(f32x4.absolute(x), f.splat(1))));
    case "mish": {
      // x · tanh(log(1 + eˣ)) = x · w / (w + 2), w = eˣ·(eˣ + 2); from 20 on it is x
      const w = f.scratch("mish");
      f.set(w, smaller(x, f.splat(20)));
      emitWholeExp(f, w, fused);
      f.set(w, multiply(w, add(w, f.splat(2))));
      return f.set(x, multiply(x, divide(w, add(w, f.splat(2)))));
    }
    case "sign": {
      const isAbove = bits.and(f32x4.less(f.splat(0), x), f.splat(1));
      const sign = bits.or(isAbove, bits.and(f32x4.less(x, f.splat(0)), f.splat(-1)));
      // All ones are no number either.
      return f.set(x, bits.or(sign, f32x4.notEqual(x, x)));
    }
    case "sin":
    case "cos":
      return emitTurn(f, x, unary.kind);
    case "tan":
      return emitTangent(f, x);
    case "asin":
    case "acos":
    case "atan":
      return emitArc(f, x, unary.kind);
    case "sinh":
    case "cosh":
    case "asinh":
    case "acosh":
    case "atanh":
      return emitHyperbolic(f, x, unary.kind, fused);
    default:
      return unary satisfies never;
  }
}

function hardSigmoid(
  f: FunctionBuilder,
  x: Vector,
  alpha: number,
  beta: number,
  fused: boolean,
): Vector {
  const line = multiplyAdd(x, f.splat(alpha), f.splat(beta), fused);
  return smaller(larger(line, f.splat(0)), f.splat(1));
}

/**
 * log(1 + x): what the sum loses of a small x is in the quotient (Kahan; Goldberg, "What every computer scientist should know
 * about floating-point arithmetic", theorem 4).
 */
function emitLogOfNext(f: FunctionBuilder, x: Local<"v128">): void {
  const [sum, kept] = [f.scratch("log of next"), f.scratch("log of next kept")];
  f.set(sum, add(x, f.splat(1)));
  f.set(kept, subtract(sum, f.splat(1)));
  emitLog(f, sum);
  const log = divide(multiply(sum, x), kept);
  f.set(x, bits.select(x, log, f32x4.equal(kept, f.splat(0))));
}

/** 1 / (1 + e⁻ˣ) */
function emitSigmoid(f: FunctionBuilder, x: Local<"v128">, fused: boolean): void {
  f.set(x, f32x4.negate(x));
  emitExp(f, x, fused);
  f.set(x, divide(f.splat(1), add(x, f.splat(1))));
}

/** Abramowitz and Stegun 7.1.26: 1 − p(t)·e^−x², t = 1 / (1 + 0.3275911·|x|). Absolute error below 5e-7. */
function emitErf(f: FunctionBuilder, x: Local<"v128">, fused: boolean): void {
  const [t, e] = [f.scratch("erf t"), f.scratch("erf e")];
  const one = f.splat(1);
  f.set(t, divide(one, multiplyAdd(f32x4.absolute(x), f.splat(0.327_591_1), one, fused)));
  f.set(e, f32x4.negate(multiply(x, x)));
  emitExp(f, e, fused);
  const minusP = polynomial(
    f,
    t,
    [-1.061_405_429, 1.453_152_027, -1.421_413_741, 0.284_496_736, -0.254_829_592],
    fused,
  );
  const size = multiplyAdd(multiply(minusP, t), e, one, fused);
  f.set(x, bits.or(size, bits.and(x, integers(-0x8000_0000))));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** One number, in double precision. */
export function evaluateUnary(x: number, unary: Unary): number {
  switch (unary.kind) {
    case "relu":
      return x < 0 ? 0 : x;
    case "clip":
      return Math.min(Math.max(x, unary.low), unary.high);
    case "leaky-relu":
      return x < 0 ? x * unary.slope : x;
    case "elu":
      return x < 0 ? unary.alpha * Math.expm1(x * unary.within) : x;
    case "hard-sigmoid":
      return Math.min(Math.max(unary.alpha * x + unary.beta, 0), 1);
    case "hard-swish":
      return x * Math.min(Math.max(x / 6 + 0.5, 0), 1);
    case "scale":
      return x * unary.by;
    case "divide":
      return x / unary.by;
    case "offset":
      return x + unary.by;
    case "quotient":
      return unary.of / x;
    case "sigmoid":
      return sigmoid(x);
    case "silu":
      return x / (1 + Math.exp(-x));
    case "tanh":
      return Math.tanh(x);
    case "gelu":
      return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
    case "gelu-tanh":
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    case "erf":
      return erf(x);
    case "exp":
      return Math.exp(x);
    case "log":
      return Math.log(x);
    case "square-root":
      return Math.sqrt(x);
    case "square":
      return x * x;
    case "cube":
      return x * x * x;
    case "reciprocal":
      return 1 / x;
    case "negate":
      return -x;
    case "absolute":
      return Math.abs(x);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round":
      return roundHalfEven(x);
    case "softplus":
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case "softsign":
      return x / (1 + Math.abs(x));
    case "mish":
      return x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
    case "sign":
      return Math.sign(x);
    case "sin":
      return Math.sin(x);
    case "cos":
      return Math.cos(x);
    case "tan":
      return Math.tan(x);
    case "asin":
      return Math.asin(x);
    case "acos":
      return Math.acos(x);
    case "atan":
      return Math.atan(x);
    case "sinh":
    case "cosh":
    case "asinh":
    case "acosh":
    case "atanh":
      return Math[unary.kind](x);
    default:
      return unary satisfies never;
  }
}
