import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { join, take } from "../elements/take.js";
import { broadcastDims } from "../families/broadcast.js";
import { broadcastIndices } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { logicalSchemas } from "../schema/logical.js";
import { broadcast } from "./binary.js";
import type { Evaluation } from "./evaluation.js";

type Scalar = number | bigint | string;

/** An operand's elements, one for each of the result's, strings too. */
function scalars(operand: Dense, dims: readonly number[]): ArrayLike<Scalar> {
  if (operand.type !== "string") return broadcast(operand, dims);
  return take(operand, broadcastIndices(operand.dims, dims), dims).data;
}

function truth(holds: (x: Scalar, y: Scalar) => boolean): Evaluation {
  return ({ input }) => {
    const dims = broadcastDims(input(0).dims, input(1).dims);
    const [x, y] = [scalars(input(0), dims), scalars(input(1), dims)];
    const data = new Uint8Array(elementCount(dims));
    for (let i = 0; i < data.length; i += 1) data[i] = holds(x[i] ?? 0, y[i] ?? 0) ? 1 : 0;
    return [{ type: "bool", dims, data }];
  };
}

export const logicalReferences: Some<typeof logicalSchemas, Evaluation> = {
  Equal: truth((x, y) => x === y),
  Less: truth((x, y) => x < y),
  Greater: truth((x, y) => x > y),
  LessOrEqual: truth((x, y) => x <= y),
  GreaterOrEqual: truth((x, y) => x >= y),
  And: truth((x, y) => x === 1 && y === 1),
  Or: truth((x, y) => x === 1 || y === 1),
  Xor: truth((x, y) => x !== y),
  /** condition ? X : Y, all three broadcast. */
  Where({ input }) {
    const dims = broadcastDims(input(0).dims, input(1).dims, input(2).dims);
    const condition = unpackNumbers(take(input(0), broadcastIndices(input(0).dims, dims), dims));
    const x = broadcastIndices(input(1).dims, dims);
    const y = broadcastIndices(input(2).dims, dims);
    const offset = elementCount(input(1).dims);
    const source = x.map((at, i) => (condition[i] === 0 ? offset + (y[i] ?? 0) : at));
    return [take(join([input(1), input(2)]), source, dims)];
  },
};
