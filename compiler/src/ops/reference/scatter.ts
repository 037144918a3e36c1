import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { integers, isWide, pack, unpack, workingArray } from "../elements/arrays.js";
import { join, take } from "../elements/take.js";
import { indexOn } from "../families/gather.js";
import { normalAxis } from "../families/indexing.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { scatterSchemas } from "../schema/scatter.js";
import type { Evaluation } from "./evaluation.js";
import { positionsByElement, positionsByTuple } from "./gather.js";

/** Before positions are told, of which there are as many as updates. @throws PareError MODEL_SHAPE */
function requireUpdates({ dims }: Dense, wanted: readonly number[]): void {
  if (dims.join() !== wanted.join())
    throw new PareError(
      "MODEL_SHAPE",
      `Updates are [${dims.join(", ")}], where [${wanted.join(", ")}] are asked for.`,
    );
}

/** Puts update i at positions[i] of a copy of the data, joined with what is there as `reduction` says. */
function scattered(
  data: Dense,
  positions: ArrayLike<number>,
  updates: Dense,
  attributes: AttributeReader,
): Dense {
  const reduction = attributes.string("reduction", "none");
  const count = elementCount(data.dims);
  if (reduction === "none") {
    const sources = Int32Array.from({ length: count }, (_, at) => at);
    for (let i = 0; i < positions.length; i += 1) sources[positions[i] ?? 0] = count + i;
    return take(join([data, updates]), sources, data.dims);
  }
  const to = workingArray(data.type, count);
  const [from, changes] = [unpack(data), unpack(updates)];
  if (isWide(to)) {
    const f = wideReductions[reduction] ?? ((_, y) => y);
    for (let i = 0; i < count; i += 1) to[i] = BigInt(from[i] ?? 0);
    for (let i = 0; i < positions.length; i += 1) {
      const at = positions[i] ?? 0;
      to[at] = f(BigInt(to[at] ?? 0), BigInt(changes[i] ?? 0));
    }
  } else {
    const f = reductions[reduction] ?? ((_, y) => y);
    for (let i = 0; i < count; i += 1) to[i] = Number(from[i]);
    for (let i = 0; i < positions.length; i += 1) {
      const at = positions[i] ?? 0;
      to[at] = f(to[at] ?? 0, Number(changes[i]));
    }
  }
  return pack(data.type, data.dims, to);
}

const reductions: Readonly<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  mul: (x, y) => x * y,
  max: Math.max,
  min: Math.min,
};

const wideReductions: Readonly<Record<string, (x: bigint, y: bigint) => bigint>> = {
  add: (x, y) => x + y,
  mul: (x, y) => x * y,
  max: (x, y) => (x > y ? x : y),
  min: (x, y) => (x < y ? x : y),
};

const scatterElements: Evaluation = ({ input, attributes }) => {
  const { dims } = input(0);
  const axis = normalAxis(attributes.int("axis", 0), dims.length);
  requireUpdates(input(2), input(1).dims);
  const positions = positionsByElement(dims, axis, integers(input(1)), input(1).dims);
  return [scattered(input(0), positions, input(2), attributes)];
};

export const scatterReferences: Some<typeof scatterSchemas, Evaluation> = {
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND({ input, attributes }) {
    const { dims } = input(0);
    const depth = input(1).dims.at(-1) ?? 0;
    requireUpdates(input(2), [...input(1).dims.slice(0, -1), ...dims.slice(depth)]);
    const inner = elementCount(dims.slice(depth));
    const positions = positionsByTuple(dims, integers(input(1)), depth).flatMap((start) =>
      Array.from({ length: inner }, (_, i) => start + i),
    );
    return [scattered(input(0), positions, input(2), attributes)];
  },
  /** values holds [off, on]; an index outside 0…depth−1 gives a row of off. */
  OneHot({ input, attributes }) {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", -1), dims.length + 1);
    const depth = integers(input(1))[0] ?? 0;
    const result = [...dims.slice(0, axis), depth, ...dims.slice(axis)];
    const inner = elementCount(dims.slice(axis));
    const sources = new Int32Array(elementCount(result));
    integers(input(0)).forEach((index, at) => {
      if (index < -depth || index >= depth) return;
      const outer = Math.floor(at / inner);
      sources[(outer * depth + indexOn(depth, index)) * inner + (at % inner)] = 1;
    });
    return [take(input(2), sources, result)];
  },
};
