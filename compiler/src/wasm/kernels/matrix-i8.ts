import { type Expression, i32Add } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { numbersOfBytes } from "../engine.js";
import { floatBytes, type Kernel, laneCount, vectorsOf } from "./kernel.js";
import type { MatrixI8Options } from "./matrix-i8-options.js";
import {
  depthOf,
  type Panel,
  panelVectors,
  type Pointer,
  pointersOf,
  tilesOf,
  tileWriter,
} from "./matrix-i8-tile.js";
import { nest, walk } from "./nest.js";
import { signed, step } from "./products-i8.js";
import { resultBytes, resultByte, scaled, termBytes, termsAt } from "./rounding-i8.js";

const panelChannels = panelVectors * laneCount;

function panelsOf({ outputs, padded }: MatrixI8Options): readonly Panel[] {
  const written = padded ? vectorsOf(outputs) * laneCount : outputs;
  const rest = written % panelChannels;
  return [
    { vectors: panelVectors, count: Math.floor(written / panelChannels), stored: panelChannels },
    { vectors: vectorsOf(rest), count: rest > 0 ? 1 : 0, stored: rest },
  ].filter(({ count }) => count > 0);
}

/**
 * Loops: batch › panels of output channels › rows › tiles of columns › taps › run. A tile's sums stay in registers; each
 * step reads four neighbouring bytes of the input per column, spread over the lanes, and four weights for each channel.
 * A result that is larger than the nearest cache is written in blocks, whose parts of all panels meet there:
 *
 *     batch › rows › blocks of columns › panels › tiles › taps › run
 *
 * Parameters: input, weights in panels, terms, output, other.
 */
export const matrixI8: Kernel<MatrixI8Options> = {
  name: "matrix-i8",
  emit(options, engine) {
    const { batch, rows, columns, block, result } = options;
    const f = new FunctionBuilder(5, numbersOfBytes);
    const [input, weights, terms, output, other] = pointersOf(f);
    const depth = depthOf(options);
    const tile = tileWriter(f, options, engine);
    const moving = options.other === undefined ? [input, output] : [input, output, other];
    const width = laneCount * resultBytes(result);
    const figure = (value: number): Expression<"i32"> => f.figure(value);
    const advance = (pointer: Pointer, bytes: number): void => {
      if (bytes !== 0) f.set(pointer, i32Add(pointer, figure(bytes)));
    };

    /** Writes columns of one panel. @returns by how much pointers are moved */
    const across = (count: number, panel: Panel): readonly number[] => {
      for (const { size, count: often } of tilesOf(count, panel, engine))
        f.rounds(often, () => {
          tile.write(size, panel);
          moving.forEach((pointer, at) => tile.skip(pointer, size, at));
        });
      return columns.steps.map((each) => each * count);
    };
    const panels = panelsOf(options);
    const vectors = panels.reduce((sum, { vectors: own, count }) => sum + own * count, 0);
    /** Of all parameters, from the first panel to behind the last. */
    const beside = moving.includes(other) ? vectors * laneCount : 0;
    const all = [0, vectors * laneCount * depth, vectors * termBytes, vectors * width, beside];
    const eachPanel = (visit: (panel: Panel) => readonly number[]): void => {
      for (const panel of panels)
        f.rounds(panel.count, () => {
          const moved = visit(panel);
          const next = [0, panel.vectors * width, panel.vectors * laneCount];
          moving.forEach((pointer, at) => advance(pointer, (next[at] ?? 0) - (moved[at] ?? 0)));
          advance(weights, depth * panel.vectors * laneCount);
          f.advance(terms, panel.vectors * termBytes);
        });
    };

    const overImages = (): readonly number[] => {
      if (block === undefined) {
        eachPanel((panel) => nest(f, [rows], moving, () => across(columns.count, panel), figure));
        return all;
      }
      const blocks = {
        count: columns.count / block,
        steps: columns.steps.map((each) => each * block),
      };
      const inOrder = [rows, blocks].map(({ count, steps: [from = 0, to = 0, by = 0] }) => ({
        count,
        steps: [from, 0, 0, to, moving.includes(other) ? by : 0],
      }));
      const overPanels = (): readonly number[] => {
        eachPanel((panel) => across(block, panel));
        return all;
      };
      return nest(f, inOrder, f.parameters, overPanels, figure);
    };
    nest(f, batch, f.parameters, overImages, figure);
    return f;
  },

  reference(options, memory, at) {
    const { batch, rows, columns, taps, run, outputs, other: added, result, padded } = options;
    const { bytes } = memory;
    const depth = depthOf(options);
    const written = padded ? vectorsOf(outputs) * laneCount : outputs;
    // What a place reads is the same for all outputs, and where a weight lies for all places: whole models are run.
    const read = new Uint8Array(depth);
    const places = new Int32Array(written * depth);
    for (let n = 0; n < written; n += 1)
      for (let k = 0; k < depth; k += 1) places[n * depth + k] = packedI8At(k, n, depth, outputs);
    walk(batch, at, ([input = 0, weights = 0, terms = 0, output = 0, other = 0]) => {
      walk([rows, columns], [input, output, other], ([x = 0, y = 0, z = 0]) => {
        let filled = 0;
        walk(taps, [x], ([tap = 0]) => {
          read.set(bytes.subarray(tap, tap + run), filled);
          filled += run;
        });
        for (let n = 0; n < written; n += 1) {
          const { start, factor } = termsAt(memory, terms, n);
          let sum = start;
          for (let k = 0; k < depth; k += 1)
            sum =
              (sum + (read[k] ?? 0) * signed(bytes[weights + (places[n * depth + k] ?? 0)])) | 0;
          if (result.kind === "integers") {
            memory.integers[y / floatBytes + n] = sum;
            continue;
          }
          let value = scaled(sum, factor);
          if (added !== undefined) {
            const beside = scaled((bytes[z + n] ?? 0) - added.zeroPoint, Math.fround(added.factor));
            value = Math.fround(value + beside);
          }
          if (result.kind === "bytes") bytes[y + n] = resultByte(value, result);
          else memory.floats[y / floatBytes + n] = value;
        }
      });
    });
  },
};

/** Where in packed weights the k-th weight of output n lies: panels one after the other, in each four of every output. */
export function packedI8At(k: number, n: number, depth: number, outputs: number): number {
  const first = Math.floor(n / panelChannels) * panelChannels;
  const own = Math.min(panelChannels, vectorsOf(outputs) * laneCount - first);
  const place = Math.floor(k / step) * own * step + (n - first) * step + (k % step);
  return first * depth + place;
}

/** Bytes of packed weights. @param depth a multiple of four */
export function packedI8Length(depth: number, outputs: number): number {
  return depth * vectorsOf(outputs) * laneCount;
}
