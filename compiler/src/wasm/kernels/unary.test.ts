import { expect, it } from "vitest";
import { floatBytes } from "./kernel.js";
import { differenceOf, operands } from "./kernel-case.test.support.js";
import { type Instruction, map } from "./map.js";
import { evaluateUnary, type Unary } from "./unary.js";

const functions: readonly Unary[] = [
  { kind: "relu" },
  { kind: "clip", low: -Infinity, high: 0.5 },
  { kind: "clip", low: -0.25, high: Infinity },
  { kind: "leaky-relu", slope: 0.125 },
  { kind: "leaky-relu", slope: -0.5 },
  { kind: "leaky-relu", slope: 1.5 },
  { kind: "elu", alpha: 0.75, within: 1 },
  { kind: "elu", alpha: -0.5, within: -2 },
  { kind: "hard-sigmoid", alpha: 0.2, beta: 0.5 },
  { kind: "scale", by: 3 },
  { kind: "divide", by: 3 },
  { kind: "offset", by: -0.5 },
  { kind: "quotient", of: 3 },
  ...(
    [
      "sigmoid",
      "silu",
      "tanh",
      "hard-swish",
      "gelu",
      "gelu-tanh",
      "erf",
      "exp",
      "log",
      "square-root",
      "square",
      "cube",
      "reciprocal",
      "negate",
      "absolute",
      "floor",
      "ceil",
      "round",
      "softplus",
      "softsign",
      "mish",
      "sign",
      "sin",
      "cos",
      "tan",
      "asin",
      "acos",
      "atan",
      "sinh",
      "cosh",
      "asinh",
      "acosh",
      "atanh",
    ] as const
  ).map((kind) => ({ kind })),
];

/** From the smallest to the largest, through 0, and what is no number. */
const extremes = [
  -1e30, -12345.678, -200, -88, -20, -8, -3, -1e-3, -0, 0, 1e-6, 0.5, 1.5, 2.5, 3, 8, 20, 80, 200,
  9e7, 1e30,
];

it.each(functions.map((unary) => [JSON.stringify(unary), unary] as const))(
  "computes %s",
  (_, unary) => {
    const options = {
      axes: [],
      lanes: 1000,
      inputs: ["lanes" as const],
      program: [{ unary, x: { input: 0 } }],
      padded: false,
    };
    expect(differenceOf(map, options, operands(2), 3)).toBeUndefined();
    const [from = 0] = operands(2);
    // Powers overflow on the way, as floats do.
    const isTurn = /^(sin|cos|tan)$/.test(unary.kind);
    const given = [...extremes, Infinity, -Infinity, Number.NaN].filter(
      (x) =>
        !(isTurn && Math.abs(x) > 1e8) &&
        Number.isFinite(evaluateUnary(x, unary)) &&
        Math.abs(evaluateUnary(x, unary)) < 1e38,
    );
    const prepare = (integers: Int32Array): void => {
      new Float32Array(integers.buffer).set(given, from / floatBytes);
    };
    expect(
      differenceOf(map, { ...options, lanes: given.length }, operands(2), 3, prepare),
    ).toBeUndefined();
  },
);

it("keeps what is no number", () => {
  const keeping: readonly Unary["kind"][] = [
    ...(["relu", "sigmoid", "tanh", "exp", "log", "gelu", "softplus", "mish", "sign"] as const),
  ];
  for (const unary of functions.filter(({ kind }) => keeping.includes(kind))) {
    const [from = 0] = operands(2);
    const prepare = (integers: Int32Array): void => {
      new Float32Array(integers.buffer).set([Number.NaN, 1, Number.NaN], from / floatBytes);
    };
    const program = [{ unary, x: { input: 0 } }];
    const options = { axes: [], lanes: 3, inputs: ["lanes" as const], program, padded: false };
    expect([unary, differenceOf(map, options, operands(2), 3, prepare)]).toEqual([
      unary,
      undefined,
    ]);
  }
});

it.each<readonly [string, readonly Instruction[], readonly number[]]>([
  [
    "what a softplus of a negative number is, relative to that",
    [
      { unary: { kind: "softplus" }, x: { input: 0 } },
      { unary: { kind: "log" }, x: { result: 0 } },
    ],
    [-80, -40, -20, -17, -9, -1, 0, 3],
  ],
  ["nothing of what is far below 0", [{ unary: { kind: "mish" }, x: { input: 0 } }], [-1e38, -100]],
  [
    "no slope of what is above 0",
    [{ binary: "prelu", x: { input: 0 }, y: { constant: Infinity } }],
    [1, 0, 2.5],
  ],
])("keeps %s", (_, program, given) => {
  const [from = 0] = operands(2);
  const prepare = (integers: Int32Array): void => {
    new Float32Array(integers.buffer).set(given, from / floatBytes);
  };
  const lanes = given.length;
  const options = { axes: [], lanes, inputs: ["lanes" as const], program, padded: false };
  expect(differenceOf(map, options, operands(2), 3, prepare)).toBeUndefined();
});
