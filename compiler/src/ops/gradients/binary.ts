import type { ValueId } from "../../ir/index.js";
import type { binarySchemas } from "../schema/binary.js";
import type { Some } from "../schema/cells.js";
import type { Backward } from "./backward.js";
import { unbroadcast } from "./broadcast.js";
import type { Gradient, GradientRule } from "./gradient.js";

/** A rule for two broadcast operands from what the cotangent is multiplied into for each of them. */
function operands(
  ...slopes: readonly ((backward: Backward, cotangent: ValueId) => ValueId)[]
): GradientRule {
  return (backward) =>
    slopes.map((slope, index) =>
      backward.where(index, () =>
        unbroadcast(backward.emit, slope(backward, backward.cotangent()), backward.dims(index)),
      ),
    );
}

/** p · x^(p − 1) */
function powerSlope(backward: Backward): ValueId {
  const { emit } = backward;
  const x = backward.input(0);
  const exponent = backward.input(1);
  const numbers = backward.constant(1)?.numbers();
  const fixed = numbers?.length === 1 ? numbers[0] : undefined;
  // Squares are what normalizations written out are made of, and Pow is slow.
  if (fixed === 2) return emit.scale(x, 2);
  const p = emit.cast(exponent, emit.dtype(x));
  return emit.multiply(p, emit.node("Pow", [x, emit.shift(p, -1)]));
}

/** x^p · ln x, 0 where x is not positive. */
function exponentSlope(backward: Backward): ValueId {
  const { emit } = backward;
  const x = backward.input(0);
  const positive = emit.where(emit.compare("Greater", x, 0), x, emit.scalar(1, x));
  return emit.multiply(backward.output(0), emit.node("Log", [positive]));
}

export const binaryGradients: Some<typeof binarySchemas, Gradient> = {
  Add: operands(
    (_, dY) => dY,
    (_, dY) => dY,
  ),
  Sub: operands(
    (_, dY) => dY,
    ({ emit }, dY) => emit.negate(dY),
  ),
  Mul: operands(
    (backward, dY) => backward.emit.multiply(dY, backward.input(1)),
    (backward, dY) => backward.emit.multiply(dY, backward.input(0)),
  ),
  // a / b: 1 / b and −(a / b) / b
  Div: operands(
    (backward, dY) => backward.emit.divide(dY, backward.input(1)),
    (backward, dY) => {
      const { emit } = backward;
      return emit.negate(emit.divide(emit.multiply(dY, backward.output(0)), backward.input(1)));
    },
  ),
  Pow: operands(
    (backward, dY) => backward.emit.multiply(dY, powerSlope(backward)),
    (backward, dY) => backward.emit.multiply(dY, exponentSlope(backward)),
  ),
  // a − b · q, q being the whole quotient, which varies only in steps
  Mod: operands(
    (_, dY) => dY,
    (backward, dY) => {
      const { emit } = backward;
      const whole = emit.subtract(backward.input(0), backward.output(0));
      const quotient = emit.node("Round", [emit.divide(whole, backward.input(1))]);
      return emit.negate(emit.multiply(dY, quotient));
    },
  ),
  // x where it is positive, else slope · x
  PRelu: operands(
    (backward, dY) => {
      const { emit } = backward;
      const positive = emit.compare("Greater", backward.input(0), 0);
      return emit.where(positive, dY, emit.multiply(dY, backward.input(1)));
    },
    (backward, dY) => {
      const { emit } = backward;
      const x = backward.input(0);
      const negative = emit.masked(x, emit.compare("Less", x, 0));
      return emit.multiply(dY, negative);
    },
  ),
  BitwiseAnd: "none",
  BitwiseOr: "none",
  BitwiseXor: "none",
  BitShift: "none",
};
