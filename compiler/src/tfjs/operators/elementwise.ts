import { attribute, type ValueId } from "../../ir/index.js";
import { activate } from "../activate.js";
import type { Translate, Translation } from "../translation.js";

/** The same operator of ONNX. */
const same =
  (op: string): Translate =>
  (at) =>
    at.add(op, at.inputs);

const activation =
  (name: string): Translate =>
  (at) =>
    activate(at, name, at.input(0));

/** TensorFlow.js divides integers downwards: tfjs-core/src/ops/div.ts. */
const divide: Translate = (at) =>
  at.dtypeOf(at.input(0)) === "int32" ? floorDivide(at) : at.add("Div", at.inputs);

function floorDivide(at: Translation): ValueId {
  const [a, b] = [at.input(0), at.input(1)];
  if (at.dtypeOf(a) !== "int32") return at.add("Floor", [at.add("Div", [a, b])]);
  return at.add("Div", [at.add("Sub", [a, at.add("Mod", [a, b])]), b]);
}

/** What is left, with the divisor's sign: tfjs-core/src/ops/mod.ts. */
const modulo: Translate = (at) => {
  const [a, b] = [at.input(0), at.input(1)];
  if (at.dtypeOf(a) === "int32") return at.add("Mod", [a, b]);
  return at.add("Sub", [a, at.add("Mul", [floorDivide(at), b])]);
};

/** The angle of (x, y): the arc tangent of y/x, and half a turn further where x is negative; 0 of (0, 0). */
const angle: Translate = (at) => {
  const [y, x] = [at.input(0), at.input(1)];
  const zero = at.numberLike(x, 0);
  const turn = at.numberLike(x, Math.PI);
  const further = at.add("Where", [at.add("Less", [y, zero]), at.add("Neg", [turn]), turn]);
  const near = at.add("Atan", [at.add("Div", [y, x])]);
  const far = at.add("Add", [near, further]);
  const isNothing = at.add("And", [at.add("Equal", [x, zero]), at.add("Equal", [y, zero])]);
  const found = at.add("Where", [at.add("Less", [x, zero]), far, near]);
  return at.add("Where", [isNothing, zero, found]);
};

export const elementwise: Readonly<Record<string, Translate>> = {
  Abs: same("Abs"),
  Acos: same("Acos"),
  Acosh: same("Acosh"),
  Add: same("Add"),
  AddN: (at) => at.inputs.slice(1).reduce((sum, value) => at.add("Add", [sum, value]), at.input(0)),
  AddV2: same("Add"),
  Asin: same("Asin"),
  Asinh: same("Asinh"),
  Atan: same("Atan"),
  Atan2: angle,
  Atanh: same("Atanh"),
  Ceil: same("Ceil"),
  ClipByValue: same("Clip"),
  Cos: same("Cos"),
  Cosh: same("Cosh"),
  Div: divide,
  DivNoNan: (at) => {
    const [a, b] = [at.input(0), at.input(1)];
    const zero = at.numberLike(b, 0);
    return at.add("Where", [at.add("Equal", [b, zero]), zero, at.add("Div", [a, b])]);
  },
  Elu: activation("Elu"),
  Equal: same("Equal"),
  Erf: same("Erf"),
  Exp: same("Exp"),
  Expm1: (at) => at.add("Sub", [at.add("Exp", at.inputs), at.numberLike(at.input(0), 1)]),
  Floor: same("Floor"),
  FloorDiv: floorDivide,
  FloorMod: modulo,
  Greater: same("Greater"),
  GreaterEqual: same("GreaterOrEqual"),
  IsFinite: (at) => {
    const value = at.input(0);
    return at.add("Not", [at.add("Or", [at.add("IsInf", [value]), at.add("IsNaN", [value])])]);
  },
  IsInf: same("IsInf"),
  IsNan: same("IsNaN"),
  LeakyRelu: (at) =>
    at.add("LeakyRelu", at.inputs, { alpha: attribute.float(at.attributes.number("alpha", 0.2)) }),
  Less: same("Less"),
  LessEqual: same("LessOrEqual"),
  Log: same("Log"),
  Log1p: (at) => at.add("Log", [at.add("Add", [at.input(0), at.numberLike(at.input(0), 1)])]),
  LogicalAnd: same("And"),
  LogicalNot: same("Not"),
  LogicalOr: same("Or"),
  Maximum: same("Max"),
  Minimum: same("Min"),
  Mod: modulo,
  Mul: same("Mul"),
  Neg: same("Neg"),
  NotEqual: (at) => at.add("Not", [at.add("Equal", at.inputs)]),
  Pow: same("Pow"),
  Prelu: same("PRelu"),
  RealDiv: divide,
  Reciprocal: same("Reciprocal"),
  Relu: activation("Relu"),
  Relu6: activation("Relu6"),
  Round: same("Round"),
  Rsqrt: (at) => at.add("Reciprocal", [at.add("Sqrt", at.inputs)]),
  Selu: activation("Selu"),
  Sigmoid: activation("Sigmoid"),
  Sign: same("Sign"),
  Sin: same("Sin"),
  Sinh: same("Sinh"),
  Softplus: same("Softplus"),
  Sqrt: same("Sqrt"),
  Square: (at) => at.add("Mul", [at.input(0), at.input(0)]),
  SquaredDifference: (at) => {
    const difference = at.add("Sub", at.inputs);
    return at.add("Mul", [difference, difference]);
  },
  Sub: same("Sub"),
  Tan: same("Tan"),
  Tanh: activation("Tanh"),
};
