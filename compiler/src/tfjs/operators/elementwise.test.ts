import { describe, expect, it } from "vitest";
import {
  attr,
  expectAlike,
  flags,
  floats,
  ints,
  type Node,
  type Numbers,
} from "../tensorflow-model.test.support.js";
import { elementwise } from "./elementwise.js";

const T = { T: attr.type("DT_FLOAT") };

async function check(
  op: string,
  inputs: Readonly<Record<string, Numbers>>,
  attributes: NonNullable<Node["attr"]> = T,
): Promise<void> {
  await expectAlike({ inputs, nodes: [{ op, inputs: Object.keys(inputs), attr: attributes }] });
}

/** Every kind of place that a function may be odd at. */
const any = floats([4, 5], [-3, -2.5, -2, -1.5, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 6, 7, -7]); // prettier-ignore
const within = floats([8], [-0.99, -0.6, -0.3, -0.1, 0.1, 0.3, 0.6, 0.99]);
const positive = floats([6], [0.01, 0.5, 1, 2, 30, 400]);
const odd = floats([5], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1]);
const other = floats([5], [2, -0.5, 3, -3, 0.25]);
const whole = ints([-7, -6, -1, 0, 1, 6, 7, 8], [2, 4]);
const divisors = ints([2, -2, 3, -3]);

const functions: Readonly<Record<string, Numbers>> = {
  Abs: any,
  Acos: within,
  Acosh: floats([3], [1, 1.5, 20]),
  Asin: within,
  Asinh: any,
  Atan: any,
  Atanh: within,
  Ceil: any,
  Cos: any,
  Cosh: any,
  Elu: any,
  Erf: any,
  Exp: any,
  Expm1: any,
  Floor: any,
  IsFinite: odd,
  IsInf: odd,
  IsNan: odd,
  LeakyRelu: any,
  Log: positive,
  Log1p: positive,
  LogicalNot: flags([0, 1, 1]),
  Neg: any,
  Reciprocal: positive,
  Relu: any,
  Relu6: any,
  Round: any,
  Rsqrt: positive,
  Selu: any,
  Sigmoid: any,
  Sign: any,
  Sin: any,
  Sinh: any,
  Softplus: any,
  Sqrt: positive,
  Square: any,
  Tan: any,
  Tanh: any,
};

const pairs: Readonly<Record<string, readonly [Numbers, Numbers]>> = {
  Add: [any, other],
  AddV2: [any, other],
  Atan2: [any, other],
  Div: [any, other],
  DivNoNan: [any, floats([5], [2, 0, 3, 0, -1])],
  Equal: [any, other],
  FloorMod: [any, other],
  Greater: [any, other],
  GreaterEqual: [any, other],
  Less: [any, other],
  LessEqual: [any, other],
  LogicalAnd: [flags([0, 0, 1, 1]), flags([0, 1, 0, 1])],
  LogicalOr: [flags([0, 0, 1, 1]), flags([0, 1, 0, 1])],
  Maximum: [any, other],
  Minimum: [any, other],
  Mod: [any, other],
  Mul: [any, other],
  NotEqual: [any, other],
  Pow: [floats([4, 5]), floats([5], [2, 3, 1, 0, 2])],
  Prelu: [any, other],
  RealDiv: [any, other],
  SquaredDifference: [any, other],
  Sub: [any, other],
};

describe("a function of one value", () => {
  for (const [op, x] of Object.entries(functions)) it(op, () => check(op, { x }));

  it("has a slope where the file says one", () =>
    check("LeakyRelu", { x: any }, { ...T, alpha: attr.float(0.5) }));
});

describe("a function of two values", () => {
  for (const [op, [x, y]] of Object.entries(pairs)) {
    it(op, () => check(op, { x, y }));
  }

  it.each([
    "Add",
    "Sub",
    "Mul",
    "Maximum",
    "Minimum",
    "Div",
    "FloorDiv",
    "FloorMod",
    "Mod",
    "SquaredDifference",
    "Greater",
    "Equal",
  ])("%s of integers", (op) => check(op, { x: whole, y: divisors }, { T: attr.type("DT_INT32") }));

  it("is at all four quarters of the circle, and on its axes", () =>
    check("Atan2", {
      y: floats([8], [0, 1, 1, 1, 0, -1, -1, -1]),
      x: floats([8], [1, 1, 0, -1, -1, -1, 0, 1]),
    }));
});

describe("functions of more", () => {
  it("FloorDiv, of which TensorFlow.js makes integers and TensorFlow does not", () =>
    expectAlike({
      inputs: { x: any, y: other },
      nodes: [
        { name: "quotient", op: "FloorDiv", inputs: ["x", "y"], attr: T },
        {
          op: "Cast",
          inputs: ["quotient"],
          attr: { SrcT: attr.type("DT_FLOAT"), DstT: attr.type("DT_INT32") },
        },
      ],
    }));
  it("AddN", () => check("AddN", { a: any, b: any, c: any }, { ...T, N: attr.int(3) }));
  it("ClipByValue", () =>
    expectAlike({
      inputs: { x: any },
      weights: { least: floats([], [-1]), most: floats([], [2]) },
      nodes: [{ op: "ClipByValue", inputs: ["x", "least", "most"], attr: T }],
    }));
});

it("has a case for every operator of its table", () => {
  const tested = new Set([
    ...Object.keys(functions),
    ...Object.keys(pairs),
    "AddN",
    "ClipByValue",
    "FloorDiv",
  ]);
  expect(Object.keys(elementwise).filter((op) => !tested.has(op))).toEqual([]);
});
