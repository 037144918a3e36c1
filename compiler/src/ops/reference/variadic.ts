import { PareError, type Tensor as Dense } from "@pare/runtime/format";
import { type Dim, dim } from "../../ir/index.js";
import { isFloat, pack, unpack } from "../elements/arrays.js";
import { type BinaryMath, evaluateBinary } from "./binary.js";
import { convert } from "../elements/convert.js";
import { broadcastInputs, tensorOf } from "../shape/inferred.js";
import type { AttributeReader, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { combine, larger, smaller } from "../families/symbolic.js";

/** Any number of operands, joined two at a time from the left. */
function variadicRow(name: string, math: BinaryMath): OperatorRow {
  return {
    name,
    domain: "",
    inputs: parameters("data_0", "more..."),
    outputs: parameters("result"),
    attributes: [],
    infer(context) {
      const dtype = context.dtype(0);
      const shape = broadcastInputs(context);
      const { dims } = math;
      const two = context.node.inputs.length === 2 && dims !== undefined && dtype !== undefined;
      const elements = two
        ? combine(context, 2, shape, (x, y) => dims(x, y, isFloat(dtype)))
        : undefined;
      return tensorOf(dtype, shape, elements);
    },
    evaluate: ({ inputs, attributes }) => [fold(math, inputs, attributes)],
  };
}

function fold(
  math: BinaryMath,
  inputs: readonly (Dense | null)[],
  attributes: AttributeReader,
): Dense {
  const [first, ...rest] = inputs.filter((input) => input !== null);
  if (first === undefined) throw new PareError("MODEL_SHAPE", "At least one operand is needed.");
  return rest.reduce((sum, next) => evaluateBinary(math, sum, next, attributes), first);
}

const maximum: BinaryMath = {
  number: () => Math.max,
  wide: () => (x, y) => (x > y ? x : y),
  dims: (x: Dim, y: Dim) => larger(x, y),
};
const minimum: BinaryMath = {
  number: () => Math.min,
  wide: () => (x, y) => (x < y ? x : y),
  dims: (x: Dim, y: Dim) => smaller(x, y),
};
const sum: BinaryMath = {
  number: () => (x, y) => x + y,
  wide: () => (x, y) => x + y,
  dims: (x: Dim, y: Dim) => dim.add(x, y),
};

const meanRow: OperatorRow = {
  ...variadicRow("Mean", { number: sum.number }),
  evaluate({ inputs, attributes }) {
    const total = fold(sum, inputs, attributes);
    const count = inputs.filter((input) => input !== null).length;
    const array = unpack(total).slice();
    for (let i = 0; i < array.length; i += 1) array[i] = Number(array[i]) / count;
    return [pack(total.type, total.dims, array)];
  },
};

/** Before opset 11 the bounds are attributes. */
function bound(like: Dense, value: number | undefined): Dense | null {
  if (value === undefined) return null;
  return convert({ type: "float32", dims: [], data: Float32Array.of(value) }, like.type);
}

/** min(max(x, low), high), where either bound may be left out. */
const clipRow: OperatorRow = {
  name: "Clip",
  domain: "",
  inputs: parameters("input", "min?", "max?"),
  outputs: parameters("output"),
  attributes: [],
  infer: (context) => tensorOf(context.dtype(0), context.shape(0)),
  evaluate({ input, inputs, attributes }) {
    const low = inputs[1] ?? bound(input(0), attributes.float("min"));
    const high = inputs[2] ?? bound(input(0), attributes.float("max"));
    const raised = low === null ? input(0) : evaluateBinary(maximum, input(0), low, attributes);
    return [high === null ? raised : evaluateBinary(minimum, raised, high, attributes)];
  },
};

export const variadicRows: readonly OperatorRow[] = [
  variadicRow("Max", maximum),
  variadicRow("Min", minimum),
  variadicRow("Sum", sum),
  meanRow,
  clipRow,
];
