import { elementCount } from "@pare/runtime/format";
import { integers } from "../elements/arrays.js";
import { take } from "../elements/take.js";
import { gathered, indexOn } from "../families/gather.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { gatherSchemas } from "../schema/gather.js";
import type { Evaluation } from "./evaluation.js";

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

export const gatherReferences: Some<typeof gatherSchemas, Evaluation> = {
  Gather({ input, attributes }) {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", 0), dims.length);
    const moved = gathered(dims, axis, integers(input(1)), input(1).dims);
    return [take(input(0), moved.indices, moved.dims)];
  },
  GatherElements({ input, attributes }) {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", 0), dims.length);
    const positions = positionsByElement(dims, axis, integers(input(1)), input(1).dims);
    return [take(input(0), positions, input(1).dims)];
  },
  GatherND({ input, attributes }) {
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
  Compress({ input, attributes }) {
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
