import { elementCount } from "@pare/runtime/format";
import { integers } from "../elements/arrays.js";
import { take } from "../elements/take.js";
import { stridesOf } from "../families/indexing.js";
import { permutationOf, tiled, transposed } from "../families/movement.js";
import type { Some } from "../schema/cells.js";
import type { movementSchemas } from "../schema/movement.js";
import type { Evaluation } from "./evaluation.js";

export const movementReferences: Some<typeof movementSchemas, Evaluation> = {
  Transpose({ input, attributes }) {
    const { dims } = input(0);
    const moved = transposed(dims, permutationOf(attributes.ints("perm"), dims.length));
    return [take(input(0), moved.indices, moved.dims)];
  },
  Tile({ input }) {
    const moved = tiled(input(0).dims, integers(input(1)));
    return [take(input(0), moved.indices, moved.dims)];
  },
  /** Keeps a triangle of the last two axes; the rest becomes zero. */
  Trilu({ input, inputs, attributes }) {
    const { dims } = input(0);
    const [rows = 1, columns = 1] = dims.slice(-2);
    const k = inputs[1] ? (integers(inputs[1])[0] ?? 0) : 0;
    const upper = attributes.int("upper", 1) !== 0;
    const indices = Int32Array.from({ length: elementCount(dims) }, (_, at) => {
      const row = Math.floor(at / columns) % rows;
      const column = at % columns;
      return (upper ? column - row >= k : column - row <= k) ? at : -1;
    });
    return [take(input(0), indices, dims)];
  },
  ReverseSequence({ input, attributes }) {
    const { dims } = input(0);
    const batchAxis = attributes.int("batch_axis", 1);
    const timeAxis = attributes.int("time_axis", 0);
    const lengths = integers(input(1));
    const strides = stridesOf(dims);
    const [batchStride, timeStride] = [strides[batchAxis] ?? 1, strides[timeAxis] ?? 1];
    const indices = Int32Array.from({ length: elementCount(dims) }, (_, at) => {
      const batch = Math.floor(at / batchStride) % (dims[batchAxis] ?? 1);
      const time = Math.floor(at / timeStride) % (dims[timeAxis] ?? 1);
      const length = lengths[batch] ?? 0;
      return time < length ? at + (length - 1 - 2 * time) * timeStride : at;
    });
    return [take(input(0), indices, dims)];
  },
};
