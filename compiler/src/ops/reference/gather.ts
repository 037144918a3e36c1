import { elementCount, PareError } from "@pare/runtime/format";
import { type Dim, dim, isStatic } from "../../ir/index.js";
import { integers } from "../elements/arrays.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { tensorOf } from "../shape/inferred.js";
import { type Movement, movedElements } from "./movement.js";
import type { OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { take } from "../elements/take.js";

/** A negative index counts from the end. @throws PareError MODEL_SHAPE outside the axis */
export function indexOn(size: number, index: number): number {
  const at = index < 0 ? index + size : index;
  if (at < 0 || at >= size)
    throw new PareError("MODEL_SHAPE", `Index ${index} lies outside an axis of ${size}.`);
  return at;
}

function gathered(
  dims: readonly number[],
  axis: number,
  indices: readonly number[],
  indexDims: readonly number[],
): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, at) =>
    at === axis
      ? indices.map((index) => indexOn(size, index) * (strides[at] ?? 1))
      : steps(size, strides[at] ?? 1),
  );
  return {
    dims: [...dims.slice(0, axis), ...indexDims, ...dims.slice(axis + 1)],
    indices: sourceIndices(parts),
  };
}

const gatherRow: OperatorRow = {
  name: "Gather",
  domain: "",
  inputs: parameters("data", "indices"),
  outputs: parameters("output"),
  attributes: ["axis"],
  infer(context) {
    const shape = context.shape(0);
    const indexShape = context.shape(1);
    if (shape === undefined || indexShape === undefined)
      return tensorOf(context.dtype(0), undefined);
    const axis = normalAxis(context.attributes.int("axis", 0), shape.length);
    const indices = context.elements(1);
    const result = [...shape.slice(0, axis), ...indexShape, ...shape.slice(axis + 1)];
    const elements =
      indices !== undefined && isStatic(indices) && isStatic(indexShape)
        ? movedElements(context, result, (dims) => gathered(dims, axis, indices, indexShape))
        : undefined;
    return tensorOf(context.dtype(0), result, elements);
  },
  evaluate({ input, attributes }) {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", 0), dims.length);
    const moved = gathered(dims, axis, integers(input(1)), input(1).dims);
    return [take(input(0), moved.indices, moved.dims)];
  },
};

/**
 * For every element of an index tensor, the position in the data that has its coordinates, but for the axis, where
 * the element itself says it.
 */
export function positionsByElement(
  dims: readonly number[],
  axis: number,
  indices: readonly number[],
  indexDims: readonly number[],
): Int32Array {
  const strides = stridesOf(dims);
  const stride = strides[axis] ?? 1;
  const base = sourceIndices(
    indexDims.map((size, at) => steps(size, at === axis ? 0 : (strides[at] ?? 1))),
  );
  return base.map((at, i) => at + indexOn(dims[axis] ?? 1, indices[i] ?? 0) * stride);
}

const gatherElementsRow: OperatorRow = {
  name: "GatherElements",
  domain: "",
  inputs: parameters("data", "indices"),
  outputs: parameters("output"),
  attributes: ["axis"],
  infer: (context) => tensorOf(context.dtype(0), context.shape(1)),
  evaluate({ input, attributes }) {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", 0), dims.length);
    const positions = positionsByElement(dims, axis, integers(input(1)), input(1).dims);
    return [take(input(0), positions, input(1).dims)];
  },
};

/** The start of the slice that each index tuple (the last axis of the indices) points at. */
export function positionsByTuple(
  dims: readonly number[],
  indices: readonly number[],
  depth: number,
): number[] {
  const strides = stridesOf(dims);
  return Array.from({ length: depth === 0 ? 1 : indices.length / depth }, (_, tuple) => {
    let at = 0;
    for (let axis = 0; axis < depth; axis += 1) {
      at += indexOn(dims[axis] ?? 1, indices[tuple * depth + axis] ?? 0) * (strides[axis] ?? 1);
    }
    return at;
  });
}

const gatherNdRow: OperatorRow = {
  name: "GatherND",
  domain: "",
  inputs: parameters("data", "indices"),
  outputs: parameters("output"),
  attributes: ["batch_dims"],
  infer(context) {
    const shape = context.shape(0);
    const indexShape = context.shape(1);
    const depth = indexShape?.at(-1);
    if (shape === undefined || indexShape === undefined || typeof depth !== "number")
      return tensorOf(context.dtype(0), undefined);
    const batch = context.attributes.int("batch_dims", 0);
    return tensorOf(context.dtype(0), [...indexShape.slice(0, -1), ...shape.slice(batch + depth)]);
  },
  evaluate({ input, attributes }) {
    const batch = attributes.int("batch_dims", 0);
    const { dims } = input(0);
    const indexDims = input(1).dims;
    const indices = integers(input(1));
    const depth = indexDims.at(-1) ?? 0;
    const batches = elementCount(dims.slice(0, batch));
    const perBatch = elementCount(dims.slice(batch));
    const inner = elementCount(dims.slice(batch + depth));
    const indicesPerBatch = indices.length / Math.max(1, batches);
    const positions: number[] = [];
    for (let b = 0; b < batches; b += 1) {
      const own = indices.slice(b * indicesPerBatch, (b + 1) * indicesPerBatch);
      for (const start of positionsByTuple(dims.slice(batch), own, depth)) {
        for (let i = 0; i < inner; i += 1) positions.push(b * perBatch + start + i);
      }
    }
    return [take(input(0), positions, [...indexDims.slice(0, -1), ...dims.slice(batch + depth)])];
  },
};

const compressRow: OperatorRow = {
  name: "Compress",
  domain: "",
  inputs: parameters("input", "condition"),
  outputs: parameters("output"),
  attributes: ["axis"],
  infer(context) {
    const shape = context.shape(0);
    const axis = context.attributes.int("axis");
    const conditions = context.elements(1);
    const count =
      conditions !== undefined && isStatic(conditions)
        ? conditions.filter((value) => value !== 0).length
        : dim.unknown();
    if (axis === undefined) return tensorOf(context.dtype(0), [count]);
    const at = shape === undefined ? 0 : normalAxis(axis, shape.length);
    const result: readonly Dim[] | undefined = shape?.map((size, which) =>
      which === at ? count : size,
    );
    return tensorOf(context.dtype(0), result);
  },
  evaluate({ input, attributes }) {
    const given = attributes.int("axis");
    const dims = given === undefined ? [elementCount(input(0).dims)] : input(0).dims;
    const axis = normalAxis(given ?? 0, dims.length);
    const kept = integers(input(1)).flatMap((value, at) =>
      value !== 0 && at < (dims[axis] ?? 0) ? [at] : [],
    );
    const moved = gathered(dims, axis, kept, [kept.length]);
    return [take(input(0), moved.indices, moved.dims)];
  },
};

export const gatherRows: readonly OperatorRow[] = [
  gatherRow,
  gatherElementsRow,
  gatherNdRow,
  compressRow,
];
