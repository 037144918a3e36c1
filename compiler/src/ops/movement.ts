import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { type Dim, dim, isStatic, tensorType } from "../ir/index.js";
import { integers } from "./arrays.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "./indexing.js";
import { isShort } from "./elements.js";
import { givenNumbers, tensorOf } from "./inferred.js";
import type { InferContext, OperatorRow } from "./row.js";
import { parameters } from "./signature.js";
import { join, reshaped, take } from "./take.js";

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

const concatRow: OperatorRow = {
  name: "Concat",
  domain: "",
  inputs: parameters("inputs..."),
  outputs: parameters("concat_result"),
  attributes: ["axis"],
  infer(context) {
    const inputs = [...context.node.inputs.keys()];
    const shapes = inputs.map((input) => context.shape(input));
    const known = shapes.find((shape) => shape !== undefined);
    const dtype = inputs.map((input) => context.dtype(input)).find((found) => found !== undefined);
    if (known === undefined) return tensorOf(dtype, undefined);
    const axis = normalAxis(context.attributes.int("axis", 0), known.length);
    const sizes = shapes.map((shape) => shape?.[axis] ?? dim.unknown());
    // Off the axis all agree: a number says more than a symbol.
    const shape = known.map((size, at) => {
      if (at === axis) return dim.add(...sizes);
      return shapes.map((other) => other?.[at]).find((other) => typeof other === "number") ?? size;
    });
    const parts = inputs.map((input) => context.elements(input));
    const elements =
      axis === 0 && parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    return tensorOf(dtype, shape, elements);
  },
  evaluate({ inputs, attributes }) {
    const tensors = inputs.filter((input) => input !== null);
    const [first] = tensors;
    if (first === undefined) throw new PareError("MODEL_SHAPE", "Concat needs an input.");
    const axis = normalAxis(attributes.int("axis", 0), first.dims.length);
    const inner = elementCount(first.dims.slice(axis + 1));
    const outer = elementCount(first.dims.slice(0, axis));
    const starts: number[] = [];
    let total = 0;
    for (const tensor of tensors) {
      starts.push(total);
      total += elementCount(tensor.dims);
    }
    const indices = new Int32Array(total);
    let at = 0;
    for (let i = 0; i < outer; i += 1) {
      tensors.forEach((tensor, which) => {
        const length = (tensor.dims[axis] ?? 1) * inner;
        const start = (starts[which] ?? 0) + i * length;
        for (let j = 0; j < length; j += 1, at += 1) indices[at] = start + j;
      });
    }
    const size = tensors.reduce((sum, tensor) => sum + (tensor.dims[axis] ?? 1), 0);
    const dims = first.dims.map((extent, which) => (which === axis ? size : extent));
    return [take(join(tensors), indices, dims)];
  },
};

/** The first `count` of equal parts, the last of all smaller where they do not come out even. */
function evenParts(size: Dim, count: number, parts: number): readonly Dim[] {
  const part = dim.ceilDiv(size, parts);
  const last = dim.subtract(size, dim.multiply(parts - 1, part));
  return Array.from({ length: count }, (_, index) => (index === parts - 1 ? last : part));
}

function section(dims: readonly number[], axis: number, start: number, length: number): Movement {
  const strides = stridesOf(dims);
  const result = dims.map((size, at) => (at === axis ? length : size));
  const offset = start * (strides[axis] ?? 1);
  return {
    dims: result,
    indices: sourceIndices(
      result.map((size, at) => steps(size, strides[at] ?? 0)),
      offset,
    ),
  };
}

const splitRow: OperatorRow = {
  name: "Split",
  domain: "",
  inputs: parameters("input", "split?"),
  outputs: parameters("outputs..."),
  attributes: ["axis", "num_outputs"],
  infer(context) {
    const { node, attributes } = context;
    const dtype = context.dtype(0);
    const shape = context.shape(0);
    if (shape === undefined)
      return node.outputs.map(() => ({ type: tensorType(dtype, undefined) }));
    const axis = normalAxis(attributes.int("axis", 0), shape.length);
    const given = context.elements(1) ?? attributes.ints("split");
    const isGiven = (node.inputs[1] ?? null) !== null;
    const sizes =
      given ??
      (isGiven
        ? node.outputs.map(() => dim.unknown())
        : evenParts(
            shape[axis] ?? dim.unknown(),
            node.outputs.length,
            attributes.int("num_outputs", node.outputs.length),
          ));
    let start: Dim = 0;
    return node.outputs.map((_, index) => {
      const size = sizes[index] ?? dim.unknown();
      const from = start;
      start = dim.add(start, size);
      const part = shape.map((extent, at) => (at === axis ? size : extent));
      const elements =
        typeof from === "number" && typeof size === "number"
          ? movedElements(context, part, (dims) => section(dims, axis, from, size))
          : undefined;
      return { type: tensorType(dtype, part), elements };
    });
  },
  evaluate(context) {
    const { attributes, outputs } = context;
    const from = context.input(0);
    const axis = normalAxis(attributes.int("axis", 0), from.dims.length);
    const sizes =
      givenNumbers(context, 1, "split") ??
      evenParts(from.dims[axis] ?? 1, outputs, attributes.int("num_outputs", outputs)).map(Number);
    let start = 0;
    return sizes.map((size) => {
      const moved = section(from.dims, axis, start, size);
      start += size;
      return take(from, moved.indices, moved.dims);
    });
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

/** Reshape, transpose, reshape: how the depth-to-space family moves its blocks. */
function viaTranspose(
  from: Dense,
  split: readonly number[],
  permutation: readonly number[],
  dims: readonly number[],
): Dense {
  const moved = transposed(split, permutation);
  return reshaped(take(from, moved.indices, moved.dims), dims);
}

const depthToSpaceRow: OperatorRow = {
  name: "DepthToSpace",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["blocksize", "mode"],
  infer(context) {
    const block = context.attributes.int("blocksize", 1);
    const [n, c, h, w] = context.shape(0) ?? [];
    if (n === undefined || c === undefined || h === undefined || w === undefined)
      return tensorOf(context.dtype(0), undefined);
    const shape = [
      n,
      dim.floorDiv(c, block * block),
      dim.multiply(h, block),
      dim.multiply(w, block),
    ];
    return tensorOf(context.dtype(0), shape);
  },
  evaluate({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const depth = c / (b * b);
    const dims = [n, depth, h * b, w * b];
    return attributes.string("mode", "DCR") === "CRD"
      ? [viaTranspose(input(0), [n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3], dims)]
      : [viaTranspose(input(0), [n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2], dims)];
  },
};

const spaceToDepthRow: OperatorRow = {
  name: "SpaceToDepth",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: ["blocksize"],
  infer(context) {
    const block = context.attributes.int("blocksize", 1);
    const [n, c, h, w] = context.shape(0) ?? [];
    if (n === undefined || c === undefined || h === undefined || w === undefined)
      return tensorOf(context.dtype(0), undefined);
    const shape = [
      n,
      dim.multiply(c, block * block),
      dim.floorDiv(h, block),
      dim.floorDiv(w, block),
    ];
    return tensorOf(context.dtype(0), shape);
  },
  evaluate({ input, attributes }) {
    const b = attributes.int("blocksize", 1);
    const [n = 1, c = 1, h = 1, w = 1] = input(0).dims;
    const split = [n, c, h / b, b, w / b, b];
    return [viaTranspose(input(0), split, [0, 3, 5, 1, 2, 4], [n, c * b * b, h / b, w / b])];
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
  concatRow,
  splitRow,
  tileRow,
  depthToSpaceRow,
  spaceToDepthRow,
  triluRow,
  reverseSequenceRow,
];
