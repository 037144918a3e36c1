import type { ValueId } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { unarySchemas } from "../schema/unary.js";
import type { Emitter } from "./emitter.js";
import type { Gradient, GradientRule } from "./gradient.js";

/** A function of each element by itself: y of x. */
interface Element {
  readonly emit: Emitter;
  readonly x: ValueId;
  readonly y: ValueId;
  readonly dY: ValueId;
  readonly attributes: AttributeReader;
}

function elementwise(gradient: (element: Element) => ValueId): GradientRule {
  return (backward) => [
    gradient({
      emit: backward.emit,
      x: backward.input(0),
      y: backward.output(0),
      dY: backward.cotangent(),
      attributes: backward.attributes,
    }),
  ];
}

/** dY times the slope. */
function times(slope: (element: Element) => ValueId): GradientRule {
  return elementwise((element) => element.emit.multiply(element.dY, slope(element)));
}

/** dY where x is greater than a bound, another gradient elsewhere. */
function bent(
  otherwise: (element: Element) => ValueId,
  bound: (attributes: AttributeReader) => number = () => 0,
): GradientRule {
  return elementwise((element) => {
    const { emit, x, dY, attributes } = element;
    return emit.where(emit.compare("Greater", x, bound(attributes)), dY, otherwise(element));
  });
}

const square = (emit: Emitter, x: ValueId): ValueId => emit.multiply(x, x);
/** 1 − x */
const rest = (emit: Emitter, x: ValueId): ValueId => emit.subtract(emit.scalar(1, x), x);
/** 1 / √x */
const root = (emit: Emitter, x: ValueId): ValueId => emit.inverseRoot(x, 0);

/**
 * Of x · Φ(x), Φ by the error function: Φ(x) + x · φ(x) = (1 + erf(t) + x · e^(k − t²)) / 2 with t = x / √2 and
 * eᵏ = √(2 / π): what are factors otherwise, passes over all elements, are summands of the exponent.
 */
function doubledGeluSlope({ emit, x }: Element): ValueId {
  const t = emit.scale(x, Math.SQRT1_2);
  const exponent = emit.subtract(emit.scalar(Math.log(2 / Math.PI) / 2, x), square(emit, t));
  const bend = emit.multiply(x, emit.node("Exp", [exponent]));
  return emit.shift(emit.add(emit.node("Erf", [t]), bend), 1);
}

/** Half of a cotangent is no pass of its own where a product made it: engines scale products as they make them. */
const gelu = elementwise((element) => {
  const { emit, dY } = element;
  return emit.multiply(emit.scale(dY, 0.5), doubledGeluSlope(element));
});

/** x / 2 · (1 + tanh u) with u = √(2 / π) · (x + 0.044715 x³). */
function tanhGeluSlope({ emit, x }: Element): ValueId {
  const factor = Math.sqrt(2 / Math.PI);
  const squared = square(emit, x);
  const bend = emit.shift(emit.scale(squared, 0.044715 * factor), factor);
  const tanh = emit.node("Tanh", [emit.multiply(x, bend)]);
  const slope = emit.shift(emit.scale(squared, 3 * 0.044715 * factor), factor);
  const share = emit.scale(emit.shift(tanh, 1), 0.5);
  const steep = emit.multiply(rest(emit, square(emit, tanh)), slope);
  return emit.add(share, emit.multiply(emit.scale(x, 0.5), steep));
}

/** x · t with t = tanh(softplus(x)): t + x · σ(x) · (1 − t²). */
function mishSlope({ emit, x }: Element): ValueId {
  const tanh = emit.node("Tanh", [emit.node("Softplus", [x])]);
  const bend = emit.multiply(emit.node("Sigmoid", [x]), rest(emit, square(emit, tanh)));
  return emit.add(tanh, emit.multiply(x, bend));
}

/** α where α · x + β lies between 0 and 1. */
function hardSigmoid({ emit, y, dY, attributes }: Element): ValueId {
  const inside = emit.node("And", [emit.compare("Greater", y, 0), emit.compare("Less", y, 1)]);
  return emit.scale(emit.masked(dY, inside), attributes.float("alpha", 0.2));
}

/** x · clip(x / 6 + 1 / 2): 1 above 3, 0 below −3, x / 3 + 1 / 2 between. */
function hardSwishSlope({ emit, x }: Element): ValueId {
  const between = emit.shift(emit.scale(x, 1 / 3), 0.5);
  const below = emit.where(emit.compare("Less", x, -3), emit.scalar(0, x), between);
  return emit.where(emit.compare("Greater", x, 3), emit.scalar(1, x), below);
}

export const unaryGradients: Some<typeof unarySchemas, Gradient> = {
  Neg: elementwise(({ emit, dY }) => emit.negate(dY)),
  Abs: times(({ emit, x }) => emit.sign(x)),
  Exp: times(({ y }) => y),
  Log: elementwise(({ emit, x, dY }) => emit.divide(dY, x)),
  Sqrt: elementwise(({ emit, y, dY }) => emit.divide(emit.scale(dY, 0.5), y)),
  Reciprocal: times(({ emit, y }) => emit.negate(square(emit, y))),
  Erf: times(({ emit, x }) =>
    emit.scale(emit.node("Exp", [emit.negate(square(emit, x))]), 2 / Math.sqrt(Math.PI)),
  ),
  Sin: times(({ emit, x }) => emit.node("Cos", [x])),
  Cos: times(({ emit, x }) => emit.negate(emit.node("Sin", [x]))),
  Tan: times(({ emit, y }) => emit.shift(square(emit, y), 1)),
  Asin: times(({ emit, x }) => root(emit, rest(emit, square(emit, x)))),
  Acos: times(({ emit, x }) => emit.negate(root(emit, rest(emit, square(emit, x))))),
  Atan: elementwise(({ emit, x, dY }) => emit.divide(dY, emit.shift(square(emit, x), 1))),
  Sinh: times(({ emit, x }) => emit.node("Cosh", [x])),
  Cosh: times(({ emit, x }) => emit.node("Sinh", [x])),
  Tanh: times(({ emit, y }) => rest(emit, square(emit, y))),
  Asinh: times(({ emit, x }) => root(emit, emit.shift(square(emit, x), 1))),
  Acosh: times(({ emit, x }) => root(emit, emit.shift(square(emit, x), -1))),
  Atanh: elementwise(({ emit, x, dY }) => emit.divide(dY, rest(emit, square(emit, x)))),
  // 1 where y is not 0: a cast to bool is cheaper than a comparison.
  Relu: elementwise(({ emit, y, dY }) => emit.masked(dY, emit.cast(y, "bool"))),
  LeakyRelu: bent(({ emit, dY, attributes }) => emit.scale(dY, attributes.float("alpha", 0.01))),
  ThresholdedRelu: bent(
    ({ emit, dY }) => emit.scalar(0, dY),
    (attributes) => attributes.float("alpha", 1),
  ),
  // α · (eˣ − 1), whose slope is y + α
  Elu: bent(({ emit, y, dY, attributes }) =>
    emit.multiply(dY, emit.shift(y, attributes.float("alpha", 1))),
  ),
  Selu: elementwise(({ emit, x, y, dY, attributes }) => {
    const gamma = attributes.float("gamma", 1.0507009873554805);
    const alpha = attributes.float("alpha", 1.6732632423543772);
    const negative = emit.multiply(dY, emit.shift(y, gamma * alpha));
    return emit.where(emit.compare("Greater", x, 0), emit.scale(dY, gamma), negative);
  }),
  // α · (eˣᐟᵅ − 1), whose slope is y / α + 1
  Celu: bent(({ emit, y, dY, attributes }) => {
    const alpha = attributes.float("alpha", 1);
    return emit.multiply(dY, emit.shift(emit.scale(y, 1 / alpha), 1));
  }),
  Softplus: times(({ emit, x }) => emit.node("Sigmoid", [x])),
  Softsign: elementwise(({ emit, x, dY }) =>
    emit.divide(dY, square(emit, emit.shift(emit.node("Abs", [x]), 1))),
  ),
  Sigmoid: times(({ emit, y }) => emit.multiply(y, rest(emit, y))),
  HardSigmoid: elementwise(hardSigmoid),
  HardSwish: times(hardSwishSlope),
  Mish: times(mishSlope),
  Gelu: (backward) =>
    backward.attributes.string("approximate", "none") === "tanh"
      ? times(tanhGeluSlope)(backward)
      : gelu(backward),
  Shrink: elementwise(({ emit, x, dY, attributes }) => {
    const beyond = emit.compare("Greater", emit.node("Abs", [x]), attributes.float("lambd", 0.5));
    return emit.masked(dY, beyond);
  }),
  Sign: "straight-through",
  Floor: "straight-through",
  Ceil: "straight-through",
  Round: "straight-through",
  BitwiseNot: "none",
  Not: "none",
  IsNaN: "none",
  IsInf: "none",
};
