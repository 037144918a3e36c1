import { elementCount, type Dtype } from "@pare/runtime/format";
import { type Dim, dim } from "../../ir/index.js";
import { isWide, type NumberArray, pack, unpack, workingArray } from "../elements/arrays.js";
import { erf } from "./erf.js";
import { tensorOf } from "../shape/inferred.js";
import type { AttributeReader, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { isNonNegative } from "../families/bounds.js";
import { isEqual, larger } from "../families/symbolic.js";

/** y = f(x) for every element. */
interface UnaryMath {
  readonly number: (attributes: AttributeReader) => (x: number) => number;
  /** For 64-bit integers, where they are allowed. */
  readonly wide?: (x: bigint) => bigint;
  /** On the integers of shapes; undefined where the result is not known. */
  readonly dims?: (x: Dim) => Dim | undefined;
  /** The attributes it may carry. */
  readonly attributes?: readonly string[];
  /** "" where not given. */
  readonly domain?: string;
  /** The output's dtype where it is not the input's. */
  readonly gives?: Dtype;
}

function unaryRow(name: string, math: UnaryMath): OperatorRow {
  return {
    name,
    domain: math.domain ?? "",
    inputs: parameters("X"),
    outputs: parameters("Y"),
    attributes: math.attributes ?? [],
    infer(context) {
      const results = math.dims && context.elements(0)?.map(math.dims);
      const elements = results?.every((value) => value !== undefined) ? results : undefined;
      return tensorOf(math.gives ?? context.dtype(0), context.shape(0), elements);
    },
    evaluate(context) {
      const x = context.input(0);
      const type = math.gives ?? x.type;
      const from = unpack(x);
      const to = workingArray(type, elementCount(x.dims));
      const f = math.number(context.attributes);
      if (isWide(to) && isWide(from)) {
        const wide = math.wide ?? ((value: bigint) => BigInt(f(Number(value))));
        for (let i = 0; i < from.length; i += 1) to[i] = wide(from[i] ?? 0n);
      } else {
        const numbers = to as NumberArray;
        for (let i = 0; i < from.length; i += 1) numbers[i] = f(Number(from[i] ?? 0));
      }
      return [pack(type, x.dims, to)];
    },
  };
}

const plain = (number: (x: number) => number): UnaryMath => ({ number: () => number });

/** To the nearest integer, ties to even. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** log(1 + eˣ), where neither end overflows. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

const rounding = (number: (x: number) => number): UnaryMath => ({
  number: () => number,
  dims: (x) => x,
});
/** A float attribute's default is the float32 nearest to it. */
const default32 = Math.fround;

export const unaryRows: readonly OperatorRow[] = [
  unaryRow("Abs", {
    number: () => Math.abs,
    wide: (x) => (x < 0n ? -x : x),
    dims: (x) => (isNonNegative(x) ? x : undefined),
  }),
  unaryRow("Neg", { number: () => (x) => -x, wide: (x) => -x, dims: (x) => dim.multiply(-1, x) }),
  unaryRow("Sign", { number: () => Math.sign, wide: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n) }),
  unaryRow("Floor", rounding(Math.floor)),
  unaryRow("Ceil", rounding(Math.ceil)),
  unaryRow("Round", rounding(roundHalfEven)),
  unaryRow("Sqrt", plain(Math.sqrt)),
  unaryRow("Exp", plain(Math.exp)),
  unaryRow("Log", plain(Math.log)),
  unaryRow(
    "Reciprocal",
    plain((x) => 1 / x),
  ),
  unaryRow("Erf", plain(erf)),
  unaryRow("Sin", plain(Math.sin)),
  unaryRow("Cos", plain(Math.cos)),
  unaryRow("Tan", plain(Math.tan)),
  unaryRow("Asin", plain(Math.asin)),
  unaryRow("Acos", plain(Math.acos)),
  unaryRow("Atan", plain(Math.atan)),
  unaryRow("Sinh", plain(Math.sinh)),
  unaryRow("Cosh", plain(Math.cosh)),
  unaryRow("Tanh", plain(Math.tanh)),
  unaryRow("Asinh", plain(Math.asinh)),
  unaryRow("Acosh", plain(Math.acosh)),
  unaryRow("Atanh", plain(Math.atanh)),
  unaryRow("Relu", {
    number: () => (x) => (x < 0 ? 0 : x),
    wide: (x) => (x < 0n ? 0n : x),
    dims: (x) => larger(x, 0),
  }),
  unaryRow("LeakyRelu", {
    attributes: ["alpha"],
    number(attributes) {
      const alpha = attributes.float("alpha", default32(0.01));
      return (x) => (x < 0 ? alpha * x : x);
    },
  }),
  unaryRow("ThresholdedRelu", {
    attributes: ["alpha"],
    number(attributes) {
      const alpha = attributes.float("alpha", 1);
      return (x) => (x > alpha ? x : 0);
    },
  }),
  unaryRow("Elu", {
    attributes: ["alpha"],
    number(attributes) {
      const alpha = attributes.float("alpha", 1);
      return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
    },
  }),
  unaryRow("Selu", {
    attributes: ["alpha", "gamma"],
    number(attributes) {
      const alpha = attributes.float("alpha", default32(1.6732632423543772));
      const gamma = attributes.float("gamma", default32(1.0507009873554805));
      return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
    },
  }),
  unaryRow("Celu", {
    attributes: ["alpha"],
    number(attributes) {
      const alpha = attributes.float("alpha", 1);
      return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
    },
  }),
  unaryRow("Softplus", plain(softplus)),
  unaryRow(
    "Softsign",
    plain((x) => x / (1 + Math.abs(x))),
  ),
  unaryRow("Sigmoid", plain(sigmoid)),
  unaryRow("HardSigmoid", {
    attributes: ["alpha", "beta"],
    number(attributes) {
      const alpha = attributes.float("alpha", default32(0.2));
      const beta = attributes.float("beta", 0.5);
      return (x) => Math.max(0, Math.min(1, alpha * x + beta));
    },
  }),
  unaryRow(
    "HardSwish",
    plain((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  ),
  unaryRow(
    "Mish",
    plain((x) => x * Math.tanh(softplus(x))),
  ),
  unaryRow("Gelu", {
    attributes: ["approximate"],
    number: (attributes) => (attributes.string("approximate", "none") === "tanh" ? geluTanh : gelu),
  }),
  unaryRow("Gelu", { domain: "com.microsoft", number: () => gelu }),
  unaryRow("QuickGelu", {
    domain: "com.microsoft",
    attributes: ["alpha"],
    number(attributes) {
      const alpha = attributes.float("alpha", default32(1.702));
      return (x) => x * sigmoid(alpha * x);
    },
  }),
  unaryRow("Shrink", {
    attributes: ["bias", "lambd"],
    number(attributes) {
      const bias = attributes.float("bias", 0);
      const lambda = attributes.float("lambd", 0.5);
      return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
    },
  }),
  unaryRow("BitwiseNot", { number: () => (x) => ~x, wide: (x) => ~x }),
  unaryRow("Not", { number: () => (x) => (x === 0 ? 1 : 0), dims: (x) => isEqual(x, 0) }),
  unaryRow("IsNaN", { gives: "bool", number: () => (x) => (Number.isNaN(x) ? 1 : 0) }),
  unaryRow("IsInf", {
    gives: "bool",
    attributes: ["detect_negative", "detect_positive"],
    number(attributes) {
      const negative = attributes.int("detect_negative", 1) !== 0;
      const positive = attributes.int("detect_positive", 1) !== 0;
      return (x) => ((negative && x === -Infinity) || (positive && x === Infinity) ? 1 : 0);
    },
  }),
];
