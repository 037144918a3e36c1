import { f32x4, floats, load, loadSplat, type Local, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import type { Engine } from "../engine.js";
import {
  type Epilogue,
  emitEpilogue,
  evaluateEpilogue,
  parametersOf,
  usesOther,
} from "./epilogue.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, balanced, nest, walk } from "./nest.js";

/**
 * A convolution, or a product of matrices, as one: result[row, column, n] = Σ over taps and run of input · weight.
 * Channels lie innermost, so that a row of a kernel is one contiguous run and nothing is unfolded; pads are zeros that
 * surround the input in memory.
 */
export interface MatrixOptions {
  /** Around it all: images, groups, matrices of a batch. Steps of all five parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output, other. */
  readonly rows: Axis;
  readonly columns: Axis;
  /** Of the kernel, around the run: steps of the input. */
  readonly taps: readonly Axis[];
  /** Elements of the input that are summed over, and the bytes between two. */
  readonly run: { readonly count: number; readonly step: number };
  /** Channels of the result. */
  readonly outputs: number;
  /** Vectors in a panel of the weights. */
  readonly panel: number;
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
  /** What is behind the last channel, up to a whole vector, is the output's own. */
  readonly padded: boolean;
}

/** Steps of the sum that are written one after the other rather than as a loop. */
const straight = 12;

/** Vectors of the result side by side, and the lanes of the last of them that count. */
interface Panel {
  readonly vectors: number;
  readonly count: number;
  readonly tail: number;
}

function panelsOf({ outputs, panel, padded }: MatrixOptions): readonly Panel[] {
  const vectors = vectorsOf(outputs);
  const tail = padded ? laneCount : outputs - (vectors - 1) * laneCount;
  const whole = Math.floor(vectors / panel);
  const rest = vectors % panel;
  const lastIsWhole = rest === 0;
  return [
    {
      vectors: panel,
      count: lastIsWhole && tail < laneCount ? whole - 1 : whole,
      tail: laneCount,
    },
    { vectors: panel, count: lastIsWhole && tail < laneCount ? 1 : 0, tail },
    { vectors: rest, count: lastIsWhole ? 0 : 1, tail },
  ].filter(({ count }) => count > 0);
}

/**
 * Loops: batch › panels of output channels › rows › tiles of columns › taps › run. A tile's sums stay in registers;
 * each step of the sum reads one vector of weights per vector of channels and one float per column, spread over the lanes:
 *
 *     sums[m][v] += spread(input[m]) · weights[v]        m < 6 columns, v < 2 vectors
 *
 * A panel's weights are read once per tile and stay in the nearest cache. Parameters: input, weights in panels, bias,
 * output, other.
 */
export const matrix: Kernel<MatrixOptions> = {
  name: "matrix",
  emit(options, engine) {
    const { batch, rows, columns, bias: hasBias } = options;
    const f = new FunctionBuilder(5);
    const [input, weights, bias, output, other] = parametersOf(f);
    const depth = options.taps.reduce((product, { count }) => product * count, options.run.count);
    const tile = tileWriter(f, options, engine, depth);
    const moving = usesOther(options.epilogue) ? [input, output, other] : [input, output];

    nest(f, batch, f.parameters, () => {
      let [weightBytes, laneBytes] = [0, 0];
      for (const panel of panelsOf(options)) {
        const bytes = panel.vectors * vectorBytes;
        const most = tileRows(options, engine, panel.vectors);
        f.times(panel.count, () => {
          const moved = nest(f, [rows], moving, () => {
            for (const { size, count } of balanced(columns.count, most)) {
              f.times(count, () => {
                tile(size, panel);
                moving.forEach((pointer, at) =>
                  f.advance(pointer, size * (columns.steps[at] ?? 0)),
                );
              });
            }
            return columns.steps.map((step) => step * columns.count);
          });
          moving.forEach((pointer, at) =>
            f.advance(pointer, (pointer === input ? 0 : bytes) - (moved[at] ?? 0)),
          );
          f.advance(weights, depth * bytes);
          if (hasBias) f.advance(bias, bytes);
        });
        weightBytes += panel.count * depth * bytes;
        laneBytes += panel.count * bytes;
      }
      const otherBytes = moving.includes(other) ? laneBytes : 0;
      return [0, weightBytes, hasBias ? laneBytes : 0, laneBytes, otherBytes];
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { batch, rows, columns, taps, run, outputs, panel, bias: hasBias, epilogue } = options;
    const depth = taps.reduce((product, { count }) => product * count, run.count);
    const written = options.padded ? vectorsOf(outputs) * laneCount : outputs;
    walk(batch, at, ([input = 0, weights = 0, bias = 0, output = 0, other = 0]) => {
      walk([rows, columns], [input, output, other], ([x = 0, y = 0, z = 0]) => {
        for (let n = 0; n < written; n += 1) {
          let sum = hasBias ? (memory[bias / floatBytes + n] ?? 0) : 0;
          let k = 0;
          walk(taps, [x], ([tap = 0]) => {
            for (let i = 0; i < run.count; i += 1) {
              const weight = memory[weights / floatBytes + packedAt(k, n, depth, outputs, panel)];
              sum += (memory[(tap + i * run.step) / floatBytes] ?? 0) * (weight ?? 0);
              k += 1;
            }
          });
          memory[y / floatBytes + n] = evaluateEpilogue(
            sum,
            memory[z / floatBytes + n] ?? 0,
            epilogue,
          );
        }
      });
    });
  },
};

function tileRows({ panel }: MatrixOptions, { matrix: tile }: Engine, vectors: number): number {
  if (vectors === panel) return Math.max(1, Math.floor((tile.rows * tile.vectors) / vectors));
  return Math.min(tile.rows, Math.floor(12 / vectors));
}

/** Writes one tile: `columns` results of one panel. Pointers stay where they are. */
function tileWriter(
  f: FunctionBuilder,
  { columns, taps, run, bias: hasBias, epilogue }: MatrixOptions,
  engine: Engine,
  depth: number,
): (size: number, panel: Panel) => void {
  const [input, weights, bias, output, other] = parametersOf(f);
  const [columnIn = 0, columnOut = 0, columnOther = 0] = columns.steps;
  const [spread, from, weight] = [f.local("v128"), f.local("i32"), f.local("i32")];
  const held: Local<"v128">[] = [];
  const vector = (at: number): Local<"v128"> => (held[at] ??= f.local("v128"));
  const multiplyAdd = (x: Vector, y: Vector, z: Vector): Vector =>
    engine.fused ? f32x4.relaxedMultiplyAdd(x, y, z) : f32x4.add(f32x4.multiply(x, y), z);

  return (size, { vectors, tail }) => {
    // Few sums would wait for one another: they are split, and added up at the end.
    const splits = size * vectors >= 6 ? 1 : size * vectors >= 3 ? 2 : 4;
    const sum = (m: number, v: number, split = 0): Local<"v128"> =>
      vector(vectors + (split * size + m) * vectors + v);
    for (let split = 0; split < splits; split += 1)
      for (let v = 0; v < vectors; v += 1)
        for (let m = 0; m < size; m += 1) {
          const starts = hasBias && split === 0;
          f.set(sum(m, v, split), starts ? load(bias, v * vectorBytes) : floats(0));
        }

    const bytesPerStep = vectors * vectorBytes;
    const step = (x: Local<"i32">, offset: number, w: Local<"i32">, at: number, turn: number) => {
      for (let v = 0; v < vectors; v += 1) f.set(vector(v), load(w, at + v * vectorBytes));
      for (let m = 0; m < size; m += 1) {
        f.set(spread, loadSplat(x, offset + m * columnIn));
        for (let v = 0; v < vectors; v += 1) {
          const into = sum(m, v, turn % splits);
          f.set(into, multiplyAdd(spread, vector(v), into));
        }
      }
    };

    if (depth <= straight) {
      let k = 0;
      walk(taps, [0], ([tap = 0]) => {
        for (let i = 0; i < run.count; i += 1) {
          step(input, tap + i * run.step, weights, k * bytesPerStep, k);
          k += 1;
        }
      });
    } else {
      f.set(from, input);
      f.set(weight, weights);
      nest(f, taps, [from], () => {
        // Sums that are split take turns: an iteration is as many steps.
        const turns = Math.max(engine.matrix.unroll, splits);
        const unroll = run.count <= straight ? run.count : turns;
        const rounds = Math.floor(run.count / unroll);
        const steps = (count: number) => {
          for (let u = 0; u < count; u += 1) step(from, u * run.step, weight, u * bytesPerStep, u);
          f.advance(weight, count * bytesPerStep);
        };
        if (rounds === 1) {
          steps(unroll);
          return [0];
        }
        f.times(rounds, () => {
          steps(unroll);
          f.advance(from, unroll * run.step);
        });
        if (run.count > rounds * unroll) steps(run.count - rounds * unroll);
        return [rounds * unroll * run.step];
      });
    }

    for (let m = 0; m < size; m += 1)
      for (let v = 0; v < vectors; v += 1) {
        const total = sum(m, v);
        for (let split = 1; split < splits; split += 1)
          f.set(total, f32x4.add(total, sum(m, v, split)));
        emitEpilogue(f, total, load(other, m * columnOther + v * vectorBytes), epilogue);
        const lanes = v === vectors - 1 ? tail : laneCount;
        f.storeLanes(output, m * columnOut + v * vectorBytes, total, lanes);
      }
  };
}

/** Where in packed weights the k-th weight of output n lies: panels one after the other, in each all n for every k. */
export function packedAt(
  k: number,
  n: number,
  depth: number,
  outputs: number,
  panel: number,
): number {
  const width = panel * laneCount;
  const first = Math.floor(n / width) * width;
  const own = Math.min(width, vectorsOf(outputs) * laneCount - first);
  return first * depth + k * own + (n - first);
}

/** Floats of packed weights. */
export function packedLength(depth: number, outputs: number): number {
  return depth * vectorsOf(outputs) * laneCount;
}
