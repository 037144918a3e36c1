import { type Dtype, elementCount } from "@pare/runtime/format";
import { isWide, type NumberArray, pack, unpack, workingArray } from "../elements/arrays.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { unarySchemas } from "../schema/unary.js";
import {
  elu,
  hardSigmoid,
  leakyRelu,
  type Real,
  relu,
  sigmoid,
  softplus,
  softsign,
  thresholdedRelu,
} from "./curves.js";
import { erf } from "./erf.js";
import type { Evaluation } from "./evaluation.js";
import { roundHalfEven } from "./round-half-even.js";

/** y = f(x) for every element; 64-bit integers pass through doubles where `wide` is not given. */
function each(f: Real, wide?: (x: bigint) => bigint): Evaluation {
  return eachBy(() => f, wide);
}

/** As `each`, for a function that attributes shape; `gives` is the output's dtype where it is not the input's. */
function eachBy(
  functionOf: (attributes: AttributeReader) => Real,
  wide?: (x: bigint) => bigint,
  gives?: Dtype,
): Evaluation {
  return ({ input, attributes }) => {
    const x = input(0);
    const type = gives ?? x.type;
    const from = unpack(x);
    const to = workingArray(type, elementCount(x.dims));
    const f = functionOf(attributes);
    if (isWide(to) && isWide(from)) {
      const onIntegers = wide ?? ((value: bigint) => BigInt(f(Number(value))));
      for (let i = 0; i < from.length; i += 1) to[i] = onIntegers(from[i] ?? 0n);
    } else {
      const numbers = to as NumberArray;
      for (let i = 0; i < from.length; i += 1) numbers[i] = f(Number(from[i] ?? 0));
    }
    return [pack(type, x.dims, to)];
  };
}

const gelu: Real = (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const geluTanh: Real = (x) =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
/** A float attribute's default is the float32 nearest to it. */
const default32 = Math.fround;

export const unaryReferences: Some<typeof unarySchemas, Evaluation> = {
  Abs: each(Math.abs, (x) => (x < 0n ? -x : x)),
  Neg: each(
    (x) => -x,
    (x) => -x,
  ),
  Sign: each(Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Round: each(roundHalfEven),
  Sqrt: each(Math.sqrt),
  Exp: each(Math.exp),
  Log: each(Math.log),
  Reciprocal: each((x) => 1 / x),
  Erf: each(erf),
  Sin: each(Math.sin),
  Cos: each(Math.cos),
  Tan: each(Math.tan),
  Asin: each(Math.asin),
  Acos: each(Math.acos),
  Atan: each(Math.atan),
  Sinh: each(Math.sinh),
  Cosh: each(Math.cosh),
  Tanh: each(Math.tanh),
  Asinh: each(Math.asinh),
  Acosh: each(Math.acosh),
  Atanh: each(Math.atanh),
  Relu: each(relu, (x) => (x < 0n ? 0n : x)),
  LeakyRelu: eachBy((attributes) => leakyRelu(attributes.float("alpha"))),
  ThresholdedRelu: eachBy((attributes) => thresholdedRelu(attributes.float("alpha"))),
  Elu: eachBy((attributes) => elu(attributes.float("alpha"))),
  Selu: eachBy((attributes) => {
    const alpha = attributes.float("alpha", default32(1.6732632423543772));
    const gamma = attributes.float("gamma", default32(1.0507009873554805));
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  Celu: eachBy((attributes) => {
    const alpha = attributes.float("alpha", 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  Softplus: each(softplus),
  Softsign: each(softsign),
  Sigmoid: each(sigmoid),
  HardSigmoid: eachBy((attributes) =>
    hardSigmoid(attributes.float("alpha"), attributes.float("beta")),
  ),
  HardSwish: each((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Mish: each((x) => x * Math.tanh(softplus(x))),
  Gelu: eachBy((attributes) =>
    attributes.string("approximate", "none") === "tanh" ? geluTanh : gelu,
  ),
  Shrink: eachBy((attributes) => {
    const bias = attributes.float("bias", 0);
    const lambda = attributes.float("lambd", 0.5);
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  }),
  BitwiseNot: each(
    (x) => ~x,
    (x) => ~x,
  ),
  Not: each((x) => (x === 0 ? 1 : 0)),
  IsNaN: eachBy(() => (x) => (Number.isNaN(x) ? 1 : 0), undefined, "bool"),
  IsInf: eachBy(
    (attributes) => {
      const negative = attributes.int("detect_negative", 1) !== 0;
      const positive = attributes.int("detect_positive", 1) !== 0;
      return (x) => ((negative && x === -Infinity) || (positive && x === Infinity) ? 1 : 0);
    },
    undefined,
    "bool",
  ),
};
