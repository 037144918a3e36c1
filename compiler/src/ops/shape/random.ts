import { PareError } from "@pare/runtime/format";
import { type Dim, dtypeOfCode, tensorType } from "../../ir/index.js";
import { unpackNumbers } from "../elements/arrays.js";
import { tensorOf } from "./inferred.js";
import type { OperatorRow } from "./rule.js";
import { parameters } from "../schema/operator.js";

/** A row without evaluation: each run gives other numbers. */
function randomRow(name: string, attributes: readonly string[], like: boolean): OperatorRow {
  return {
    name,
    domain: "",
    inputs: like ? parameters("input") : [],
    outputs: parameters("output"),
    attributes: ["dtype", ...attributes],
    deterministic: false,
    infer(context) {
      const given = dtypeOfCode(context.attributes.int("dtype"));
      if (like) return tensorOf(given ?? context.dtype(0), context.shape(0));
      return tensorOf(given ?? "float32", context.attributes.ints("shape"));
    },
  };
}

const multinomialRow: OperatorRow = {
  ...randomRow("Multinomial", ["sample_size", "seed"], true),
  infer(context) {
    const [batch] = context.shape(0) ?? [];
    const shape: readonly Dim[] | undefined =
      batch === undefined ? undefined : [batch, context.attributes.int("sample_size", 1)];
    return tensorOf(dtypeOfCode(context.attributes.int("dtype")) ?? "int32", shape);
  },
};

/** Outside training it passes its input on, and its mask is true throughout. */
const dropoutRow: OperatorRow = {
  name: "Dropout",
  domain: "",
  inputs: parameters("data", "ratio?", "training_mode?"),
  outputs: parameters("output", "mask?"),
  attributes: ["seed"],
  deterministic: false,
  infer: (context) => [
    { type: tensorType(context.dtype(0), context.shape(0)), elements: context.elements(0) },
    { type: tensorType("bool", context.shape(0)) },
  ],
  evaluate({ input, inputs }) {
    const [ratio, training] = [inputs[1], inputs[2]];
    const isDropping = training && unpackNumbers(training)[0] !== 0;
    if (isDropping && (!ratio || unpackNumbers(ratio)[0] !== 0)) {
      throw new PareError("UNSUPPORTED_OP", "Dropout in training is random.");
    }
    const count = input(0).data.length;
    return [input(0), { type: "bool", dims: input(0).dims, data: new Uint8Array(count).fill(1) }];
  },
};

export const randomRows: readonly OperatorRow[] = [
  randomRow("RandomNormal", ["mean", "scale", "seed", "shape"], false),
  randomRow("RandomUniform", ["high", "low", "seed", "shape"], false),
  randomRow("RandomNormalLike", ["mean", "scale", "seed"], true),
  randomRow("RandomUniformLike", ["high", "low", "seed"], true),
  randomRow("Bernoulli", ["seed"], true),
  multinomialRow,
  dropoutRow,
];
