import type { Tensor as Dense } from "@pare/runtime/format";
import { integers, isWide, type NumberArray, pack, unpack } from "../elements/arrays.js";
import { take } from "../elements/take.js";
import { normalAxis } from "../families/indexing.js";
import { keepsAxes } from "../families/reduction.js";
import type { Some } from "../schema/cells.js";
import type { selectionSchemas } from "../schema/selection.js";
import type { Evaluation } from "./evaluation.js";

/** A tensor as lines along one axis: element j of line i lies at starts[i] + j·stride. */
interface Lines {
  readonly starts: readonly number[];
  readonly length: number;
  readonly stride: number;
}

function linesAlong(dims: readonly number[], axis: number): Lines {
  const length = dims[axis] ?? 1;
  const stride = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const starts = Array.from(
    { length: outer * stride },
    (_, i) => Math.floor(i / stride) * length * stride + (i % stride),
  );
  return { starts, length, stride };
}

/** The place of the element along an axis that beats all others. */
function argument(beats: (here: number | bigint, there: number | bigint) => boolean): Evaluation {
  return ({ input, attributes }) => {
    const { dims } = input(0);
    const axis = normalAxis(attributes.int("axis", 0), dims.length);
    const keep = keepsAxes(attributes);
    const last = attributes.int("select_last_index", 0) !== 0;
    const values = unpack(input(0));
    const { starts, length, stride } = linesAlong(dims, axis);
    const data = BigInt64Array.from(starts, (start) => {
      let best = 0;
      for (let j = 1; j < length; j += 1) {
        const here = values[start + j * stride] ?? 0;
        const there = values[start + best * stride] ?? 0;
        const wins = beats(here, there);
        if (wins || (last && here === there)) best = j;
      }
      return BigInt(best);
    });
    return [
      {
        type: "int64",
        dims: dims.flatMap((size, at) => (at !== axis ? [size] : keep ? [1] : [])),
        data,
      },
    ];
  };
}

export const selectionReferences: Some<typeof selectionSchemas, Evaluation> = {
  ArgMax: argument((here, there) => here > there),
  ArgMin: argument((here, there) => here < there),
  CumSum({ input, attributes }) {
    const x = input(0);
    const axis = normalAxis(integers(input(1))[0] ?? 0, x.dims.length);
    const exclusive = attributes.int("exclusive", 0) !== 0;
    const reverse = attributes.int("reverse", 0) !== 0;
    const from = unpack(x);
    const to = from.slice();
    const { starts, length, stride } = linesAlong(x.dims, axis);
    for (const start of starts) {
      const places = Array.from(
        { length },
        (_, j) => start + (reverse ? length - 1 - j : j) * stride,
      );
      if (isWide(from)) {
        let sum = 0n;
        for (const at of places) {
          const value = from[at] ?? 0n;
          to[at] = exclusive ? sum : sum + value;
          sum += value;
        }
      } else {
        let sum = 0;
        for (const at of places) {
          const value = from[at] ?? 0;
          (to as NumberArray)[at] = exclusive ? sum : sum + value;
          sum += value;
        }
      }
    }
    return [pack(x.type, x.dims, to)];
  },
  TopK({ input, attributes }) {
    const x: Dense = input(0);
    const axis = normalAxis(attributes.int("axis", -1), x.dims.length);
    const sign = attributes.int("largest", 1) !== 0 ? -1 : 1;
    const values = unpack(x);
    const { starts, length, stride } = linesAlong(x.dims, axis);
    const k = Math.min(integers(input(1))[0] ?? 0, length);
    const dims = x.dims.map((size, at) => (at === axis ? k : size));
    const indices = new BigInt64Array(starts.length * k);
    const sources = new Int32Array(starts.length * k);
    starts.forEach((start, line) => {
      const order = Array.from({ length }, (_, j) => j).sort((i, j) => {
        const [a, b] = [values[start + i * stride] ?? 0, values[start + j * stride] ?? 0];
        return a === b ? i - j : a < b ? -sign : sign;
      });
      const first = Math.floor(line / stride) * k * stride + (line % stride);
      order.slice(0, k).forEach((j, rank) => {
        indices[first + rank * stride] = BigInt(j);
        sources[first + rank * stride] = start + j * stride;
      });
    });
    return [take(x, sources, dims), { type: "int64", dims, data: indices }];
  },
};
