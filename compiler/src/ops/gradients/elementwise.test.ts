import { attribute, type Attributes } from "../../ir/index.js";
import { type Case, checkGradients, type Values } from "../../train/gradient-check.test.support.js";
import { one, only } from "./case.test.support.js";

const { int, float, string } = attribute;

const unary: readonly (readonly [op: string, values?: Values, attributes?: Attributes])[] = [
  ["Neg"],
  ["Abs", "kinked"],
  ["Exp"],
  ["Log", "positive"],
  ["Sqrt", "positive"],
  ["Reciprocal", "positive"],
  ["Erf"],
  ["Sin"],
  ["Cos"],
  ["Tan", "small"],
  ["Asin", "small"],
  ["Acos", "small"],
  ["Atan"],
  ["Sinh"],
  ["Cosh"],
  ["Tanh"],
  ["Asinh"],
  ["Atanh", "small"],
  ["Relu", "kinked"],
  ["LeakyRelu", "kinked", { alpha: float(0.1) }],
  ["ThresholdedRelu", "kinked", { alpha: float(0.2) }],
  ["Elu", "kinked", { alpha: float(0.7) }],
  ["Selu", "kinked"],
  ["Celu", "kinked", { alpha: float(0.7) }],
  ["Softplus"],
  ["Softsign"],
  ["Sigmoid"],
  ["HardSigmoid", "small"],
  ["HardSwish", "small"],
  ["Mish"],
  ["Gelu"],
  ["Gelu", "normal", { approximate: string("tanh") }],
  ["Shrink", "kinked", { lambd: float(0.2), bias: float(0.1) }],
  ["Identity"],
];

checkGradients("gradients of functions of each element", [
  ...unary.map(([op, values = "normal", attributes = {}]): Case => ({
    name: attributes["approximate"] ? `${op} by tanh` : op,
    shapes: [[3, 5]],
    build: one(op, attributes),
    values,
  })),
  {
    name: "Acosh",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) => add("Acosh", [add("Add", [only(x), floats([1])])]),
    values: "positive",
  },
  {
    name: "HardSwish beyond its bends",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) => add("HardSwish", [add("Mul", [only(x), floats([8])])]),
    values: "positive",
    epsilon: 1e-3,
  },
  {
    name: "HardSigmoid beyond its bends",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) =>
      add("HardSigmoid", [add("Mul", [only(x), floats([3])])], { alpha: float(0.5) }),
    values: "distinct",
    epsilon: 1e-3,
  },
]);

checkGradients("gradients of operands", [
  {
    name: "Add of a row to many, whose cotangents are summed by a product",
    shapes: [[4, 20, 60], [60]],
    build: one("Add"),
  },
  ...["Add", "Sub", "Mul"].flatMap((op): Case[] => [
    {
      name: `${op} of equal shapes`,
      shapes: [
        [3, 4],
        [3, 4],
      ],
      build: one(op),
    },
    {
      name: `${op} broadcast`,
      shapes: [
        [2, 3, 4],
        [3, 1],
      ],
      build: one(op),
    },
    {
      name: `${op} broadcast, the first too`,
      shapes: [
        [3, 1],
        [2, 1, 4],
      ],
      build: one(op),
    },
  ]),
  {
    name: "Div broadcast",
    shapes: [
      [2, 3, 4],
      [1, 4],
    ],
    build: one("Div"),
    values: "positive",
  },
  {
    name: "Pow of a square",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) => add("Pow", [only(x), floats([2])]),
  },
  {
    name: "Pow of an integer exponent",
    shapes: [[3, 5]],
    build: ([x], { add, ints }) => add("Pow", [only(x), ints([3], [])]),
  },
  {
    name: "Pow of a root",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) => add("Pow", [only(x), floats([0.5])]),
    values: "positive",
  },
  {
    name: "Pow of both",
    shapes: [[2, 3, 5], [5]],
    build: one("Pow"),
    values: "positive",
    epsilon: 1e-3,
  },
  {
    name: "Mod of floats",
    shapes: [[3, 5], [5]],
    // Quotients of 0, 1 and 2, either way, none of them near the next.
    build: ([a, b], { add, floats }) => {
      const divisor = add("Add", [add("Mul", [only(b), floats([0.1])]), floats([2])]);
      return add("Mod", [add("Mul", [only(a), floats([5])]), divisor], { fmod: int(1) });
    },
    values: ["distinct", "small"],
    epsilon: 1e-3,
  },
  {
    name: "PRelu",
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    build: one("PRelu"),
    values: "kinked",
  },
  {
    name: "a value used twice",
    shapes: [[3, 4]],
    build: ([x], { add }) => add("Mul", [only(x), add("Add", [only(x), only(x)])]),
  },
  ...["Sum", "Mean"].map((op): Case => ({
    name: op,
    shapes: [[2, 3], [3], [1, 3]],
    build: one(op),
  })),
  ...["Max", "Min"].map((op): Case => ({
    name: op,
    shapes: [[2, 3], [3], [2, 1]],
    build: (inputs, { add, floats }) => {
      // Apart by a third of the distance of any two.
      const moved = inputs.map((x, at) => add("Add", [x, floats([at * 0.05])]));
      return add(op, moved);
    },
    values: "distinct",
    epsilon: 2e-3,
  })),
  {
    name: "Clip, and its bounds",
    shapes: [[4, 5], [], []],
    // Bounds halfway between elements.
    build: ([x, low, high], { add, floats }) =>
      add("Clip", [
        only(x),
        add("Sub", [only(low), floats([0.6])]),
        add("Add", [only(high), floats([0.9])]),
      ]),
    values: "distinct",
    epsilon: 1e-3,
  },
  {
    name: "Clip without bounds",
    shapes: [[4, 5]],
    build: one("Clip"),
  },
  {
    name: "Where",
    shapes: [[3, 5], [5], [3, 1]],
    build: ([x, a, b], { add, floats }) => [
      add("Where", [add("Greater", [only(x), floats([0])]), only(a), only(b)]),
      add("Neg", [only(x)]),
    ],
    values: ["kinked", "normal", "normal"],
  },
  {
    name: "Dropout outside of training",
    shapes: [[3, 5]],
    build: ([x], { add, floats }) => add("Dropout", [only(x), floats([0.5])]),
  },
  {
    name: "Cast to float64 and back",
    shapes: [[3, 5]],
    build: ([x], { add }) => {
      const wide = add("Cast", [only(x)], { to: int(11) });
      return add("Cast", [add("Mul", [wide, wide])], { to: int(1) });
    },
  },
]);
