import { PareError, type Tensor as Dense } from "@pare/runtime/format";
import { pack, unpack } from "../elements/arrays.js";
import { convert } from "../elements/convert.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { variadicSchemas } from "../schema/variadic.js";
import { type BinaryMath, evaluateBinary } from "./binary.js";
import type { Evaluation } from "./evaluation.js";

/** Any number of operands, joined two at a time from the left. */
function folded(math: BinaryMath): Evaluation {
  return ({ inputs, attributes }) => [fold(math, inputs, attributes)];
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

/** Before opset 11 the bounds are attributes. */
function bound(like: Dense, value: number | undefined): Dense | null {
  if (value === undefined) return null;
  return convert({ type: "float32", dims: [], data: Float32Array.of(value) }, like.type);
}

const maximum: BinaryMath = {
  number: () => Math.max,
  wide: () => (x, y) => (x > y ? x : y),
};
const minimum: BinaryMath = {
  number: () => Math.min,
  wide: () => (x, y) => (x < y ? x : y),
};
const sum: BinaryMath = {
  number: () => (x, y) => x + y,
  wide: () => (x, y) => x + y,
};

export const variadicReferences: Some<typeof variadicSchemas, Evaluation> = {
  Max: folded(maximum),
  Min: folded(minimum),
  Sum: folded(sum),
  Mean({ inputs, attributes }) {
    const total = fold(sum, inputs, attributes);
    const count = inputs.filter((input) => input !== null).length;
    const array = unpack(total).slice();
    for (let i = 0; i < array.length; i += 1) array[i] = Number(array[i]) / count;
    return [pack(total.type, total.dims, array)];
  },
  /** min(max(x, low), high), where either bound may be left out. */
  Clip({ input, inputs, attributes }) {
    const low = inputs[1] ?? bound(input(0), attributes.float("min"));
    const high = inputs[2] ?? bound(input(0), attributes.float("max"));
    const raised = low === null ? input(0) : evaluateBinary(maximum, input(0), low, attributes);
    return [high === null ? raised : evaluateBinary(minimum, raised, high, attributes)];
  },
};
