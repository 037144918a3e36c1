import { elementCount } from "@pare/runtime/format";
import { type Dim, dim, isStatic } from "../../ir/index.js";
import { integers } from "../elements/arrays.js";
import { sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { isShort } from "../shape/integers.js";
import { tensorOf } from "../shape/inferred.js";
import type { InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { take } from "../elements/take.js";

/** A result whose every element is one of the source's, or −1 for none. */
export interface Movement {
  readonly dims: readonly number[];
  readonly indices: Int32Array;
}

/** The integers of input 0 after a movement to `result`; undefined where they or the movement are not known. */
export function movedElements(
  context: InferContext,
  result: readonly Dim[],
  movement: (dims: readonly number[]) => Movement,
): readonly Dim[] | undefined {
  const elements = context.elements(0);
  const shape = context.shape(0);
  if (elements === undefined || shape === undefined || !isStatic(shape) || !isShort(result)) {
    return undefined;
  }
  const moved = Array.from(movement(shape).indices, (at) => elements[at]);
  return moved.every((value) => value !== undefined) ? moved : undefined;
}

function permutationOf(
  permutation: readonly number[] | undefined,
  rank: number,
): readonly number[] {
  return permutation ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

export function transposed(dims: readonly number[], permutation: readonly number[]): Movement {
  const strides = stridesOf(dims);
  const result = permutation.map((axis) => dims[axis] ?? 1);
  const parts = result.map((size, axis) => steps(size, strides[permutation[axis] ?? 0] ?? 0));
  return { dims: result, indices: sourceIndices(parts) };
}

const transposeRow: OperatorRow = {
  name: "Transpose",
  domain: "",
  inputs: parameters("data"),
  outputs: parameters("transposed"),
  attributes: ["perm"],
  infer(context) {
    const shape = context.shape(0);
    const given = context.attributes.ints("perm");
    if (shape === undefined)
      return tensorOf(
        context.dtype(0),
        given?.map(() => dim.unknown()),
      );
    const permutation = permutationOf(given, shape.length);
    const result = permutation.map((axis) => shape[axis] ?? dim.unknown());
    return tensorOf(
      context.dtype(0),
      result,
      movedElements(context, result, (dims) => transposed(dims, permutation)),
    );
  },
  evaluate({ input, attributes }) {
    const { dims } = input(0);
    const moved = transposed(dims, permutationOf(attributes.ints("perm"), dims.length));
    return [take(input(0), moved.indices, moved.dims)];
  },
};

function tiled(dims: readonly number[], repeats: readonly number[]): Movement {
  const strides = stridesOf(dims);
  const parts = dims.flatMap((size, axis) => [
    steps(repeats[axis] ?? 1, 0),
    steps(size, strides[axis] ?? 0),
  ]);
  return {
    dims: dims.map((size, axis) => size * (repeats[axis] ?? 1)),
    indices: sourceIndices(parts),
  };
}

const tileRow: OperatorRow = {
  name: "Tile",
  domain: "",
  inputs: parameters("input", "repeats"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const shape = context.shape(0);
    const repeats = context.elements(1);
    const result = shape?.map((size, axis) => {
      const times = repeats?.[axis];
      return times === undefined ? dim.unknown() : dim.multiply(size, times);
    });
    const elements =
      repeats !== undefined && isStatic(repeats) && result !== undefined
        ? movedElements(context, result, (dims) => tiled(dims, repeats))
        : undefined;
    return tensorOf(context.dtype(0), result, elements);
  },
  evaluate({ input }) {
    const moved = tiled(input(0).dims, integers(input(1)));
    return [take(input(0), moved.indices, moved.dims)];
  },
};

/** Keeps a triangle of the last two axes; the rest becomes zero. */
const triluRow: OperatorRow = {
  name: "Trilu",
  domain: "",
  inputs: parameters("input", "k?"),
  outputs: parameters("output"),
  attributes: ["upper"],
  infer: (context) => tensorOf(context.dtype(0), context.shape(0)),
  evaluate({ input, inputs, attributes }) {
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
};

const reverseSequenceRow: OperatorRow = {
  name: "ReverseSequence",
  domain: "",
  inputs: parameters("input", "sequence_lens"),
  outputs: parameters("Y"),
  attributes: ["batch_axis", "time_axis"],
  infer: (context) => tensorOf(context.dtype(0), context.shape(0)),
  evaluate({ input, attributes }) {
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

export const movementRows: readonly OperatorRow[] = [
  transposeRow,
  tileRow,
  triluRow,
  reverseSequenceRow,
];
