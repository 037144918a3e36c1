import { onnxArtifact, type Dtype, elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, test } from "vitest";
import {
  attribute,
  type Attributes,
  codeOfDtype,
  edit,
  Graph,
  newHeader,
  tensorType,
} from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { convert } from "../elements/convert.js";
import { evaluateGraph } from "./execute.js";
import { inferNode } from "../shape/infer.js";

/** Numbers at which definitions differ: signs, ties, zeros of both signs, what is no number. */
const special = [
  -Infinity,
  -7,
  -2.5,
  -1.5,
  -1,
  -0.5,
  -0,
  0,
  0.5,
  1,
  1.5,
  2.5,
  3,
  7,
  100,
  Infinity,
  NaN,
];
const whole = [-128, -100, -7, -3, -2, -1, 1, 2, 3, 5, 7, 100, 127];
const natural = [1, 2, 3, 5, 7, 31];

interface Case {
  readonly op: string;
  readonly dtypes: readonly Dtype[];
  readonly inputs: number;
  readonly attributes?: Attributes;
  /** The numbers to draw from; `special` for floats and `whole` for integers where not given. */
  readonly values?: readonly number[];
  readonly output?: Dtype;
  /** Relative; 0 where not given: the same bits. */
  readonly tolerance?: number;
}

const floats: readonly Dtype[] = ["float32", "float64"];
const signed: readonly Dtype[] = ["int32", "int64"];
const unsigned: readonly Dtype[] = ["uint32", "uint64"];
const finite = special.filter(Number.isFinite);
/** Engines approximate: the exponential by a polynomial, a mean by a reciprocal. */
const rounded = 1e-5;

const cases: readonly Case[] = [
  ...["Add", "Sub", "Mul"].map((op) => ({ op, dtypes: [...floats, ...signed], inputs: 2 })),
  { op: "Div", dtypes: [...floats, ...signed], inputs: 2 },
  { op: "Mod", dtypes: signed, inputs: 2 },
  {
    op: "Mod",
    dtypes: [...floats, ...signed],
    inputs: 2,
    attributes: { fmod: attribute.int(1) },
    values: [-7.5, -3, -1, 1, 2, 3, 5.5],
  },
  {
    op: "Pow",
    dtypes: ["float32", "int32", "int64"],
    inputs: 2,
    values: [1, 2, 3, 5],
    tolerance: rounded,
  },
  { op: "Max", dtypes: ["float32", ...signed, ...unsigned], inputs: 2, values: finite },
  { op: "Min", dtypes: ["float32", ...signed], inputs: 3, values: finite },
  { op: "Mean", dtypes: ["float32"], inputs: 3, values: finite, tolerance: rounded },
  ...["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"].map((op) => ({
    op,
    dtypes: ["float32" as const, ...signed],
    inputs: 2,
    output: "bool" as const,
  })),
  ...["And", "Or", "Xor"].map((op) => ({
    op,
    dtypes: ["bool" as const],
    inputs: 2,
    values: [0, 1],
  })),
  ...["LEFT", "RIGHT"].map((direction) => ({
    op: "BitShift",
    dtypes: unsigned,
    inputs: 2,
    values: natural,
    attributes: { direction: attribute.string(direction) },
  })),
  ...["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map((op) => ({
    op,
    dtypes: [...signed, ...unsigned],
    inputs: 2,
    values: natural,
  })),
  { op: "PRelu", dtypes: ["float32"], inputs: 2 },
  ...["Abs", "Neg", "Sign"].map((op) => ({
    op,
    dtypes: ["float32" as const, ...signed],
    inputs: 1,
    values: finite,
  })),
  ...["Floor", "Ceil", "Round", "Sqrt", "Reciprocal"].map((op) => ({
    op,
    dtypes: floats,
    inputs: 1,
  })),
  { op: "Relu", dtypes: floats, inputs: 1 },
  ...["LeakyRelu", "HardSigmoid", "HardSwish", "ThresholdedRelu", "Softsign"].map((op) => ({
    op,
    dtypes: ["float32" as const],
    inputs: 1,
    values: finite,
    tolerance: rounded,
  })),
  ...[
    "Exp",
    "Log",
    "Sin",
    "Cos",
    "Tan",
    "Asin",
    "Acos",
    "Atan",
    "Sinh",
    "Cosh",
    "Tanh",
    "Asinh",
    "Acosh",
    "Atanh",
    "Erf",
    "Elu",
    "Selu",
    "Celu",
    "Softplus",
    "Sigmoid",
    "Mish",
    "Gelu",
  ].map((op) => ({
    op,
    dtypes: ["float32" as const],
    inputs: 1,
    values: finite,
    tolerance: rounded,
  })),
  {
    op: "Gelu",
    dtypes: ["float32"],
    inputs: 1,
    values: finite,
    tolerance: rounded,
    attributes: { approximate: attribute.string("tanh") },
  },
  { op: "IsNaN", dtypes: floats, inputs: 1, output: "bool" },
  {
    op: "IsInf",
    dtypes: floats,
    inputs: 1,
    output: "bool",
    attributes: { detect_negative: attribute.int(0) },
  },
  ...[
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
    "ReduceL1",
    "ReduceL2",
  ].map((op) => ({
    op,
    dtypes: ["float32" as const, "int32" as const],
    inputs: 1,
    values: [1, 2, 3, -2],
    tolerance: rounded,
  })),
  // onnxruntime adds integers up in doubles, and keeps what is beyond a type at its ends.
  ...["ReduceSum", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSum"].map((op) => ({
    op,
    dtypes: signed,
    inputs: 1,
    values: [2 ** 31 - 1, 5, -(2 ** 31), 2 ** 30 + 7],
  })),
  ...["ReduceProd", "ReduceSumSquare"].map((op) => ({
    op,
    dtypes: ["int32" as const],
    inputs: 1,
    values: [2 ** 31 - 1, 5, -(2 ** 31), 2 ** 30 + 7],
  })),
  { op: "ReduceLogSumExp", dtypes: signed, inputs: 1, values: [100, 2000, 3, 1500] },
  ...["ReduceLogSum", "ReduceLogSumExp"].map((op) => ({
    op,
    dtypes: ["float32" as const],
    inputs: 1,
    values: [1, 2, 3, 4],
    tolerance: rounded,
  })),
  ...(
    ["int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool"] as const
  ).flatMap((to) =>
    (["float32", "int64", "int32", "uint8"] as const)
      .filter((from) => from !== to)
      .map((from) => ({
        op: "Cast",
        dtypes: [from],
        inputs: 1,
        output: to,
        attributes: { to: attribute.int(codeOfDtype(to)) },
        values: [0, 1, 2.5, 3.75, 7, 100],
      })),
  ),
];

function draw(
  values: readonly number[],
  dims: readonly number[],
  dtype: Dtype,
  seed: number,
): Dense {
  const count = elementCount(dims);
  const data = Float64Array.from(
    { length: count },
    (_, i) => values[(i * 7 + seed * 5 + Math.floor(i / values.length)) % values.length] ?? 0,
  );
  return convert({ type: "float64", dims, data }, dtype);
}

describe("evaluation is what onnxruntime computes", () => {
  const named = cases.flatMap((entry) =>
    entry.dtypes.map(
      (dtype) =>
        [
          `${entry.op} ${dtype}${entry.output === undefined ? "" : ` → ${entry.output}`}`,
          entry,
          dtype,
        ] as const,
    ),
  );
  test.each(named)("%s", async (_, entry, dtype) => {
    const {
      op,
      attributes = {},
      values = dtype.startsWith("float") ? special : whole,
      tolerance = 0,
    } = entry;
    const dims = [4, 17];
    const graph = new Graph(newHeader(), inferNode);
    edit(
      graph,
      "build",
      (editor) => {
        const inputs = Array.from({ length: entry.inputs }, (_, index) =>
          editor.addInput(`x${index}`, tensorType(dtype, dims)),
        );
        editor.addOutput(editor.add1(op, inputs, attributes, { outputs: ["y"] }));
      },
      { interface: true },
    );
    const feeds = Object.fromEntries(
      Array.from({ length: entry.inputs }, (_, index) => [
        `x${index}`,
        draw(values, dims, dtype, index * 3),
      ]),
    );
    const { proto } = await encodeModel(graph);
    const session = await cpu().load(onnxArtifact(proto));
    const expected = (await session.run(feeds))["y"];
    await session.dispose();
    const found = (await evaluateGraph(graph, feeds))["y"];
    expect(found?.type).toBe(expected?.type);
    expect(found?.type).toBe(entry.output ?? dtype);
    expect(found?.dims).toEqual(expected?.dims);
    const wrong = [...(expected?.data ?? [])]
      .map((value, i) => ({
        i,
        expected: Number(value),
        found: Number(found?.data[i]),
      }))
      .filter(
        (pair) =>
          !Object.is(pair.expected + 0, pair.found + 0) &&
          !(
            Math.abs(pair.expected - pair.found) <=
            tolerance * Math.max(1e-3, Math.abs(pair.expected))
          ),
      );
    expect(
      wrong.slice(0, 3).map(({ i, ...pair }) => ({
        ...pair,
        inputs: Object.values(feeds).map((feed) => feed.data[i]),
      })),
    ).toEqual([]);
  });
});
