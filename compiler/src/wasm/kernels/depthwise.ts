import { f32x4, floats, load, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  emitEpilogue,
  type Epilogue,
  evaluateEpilogue,
  parametersOf,
  usesOther,
} from "./epilogue.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, balanced, nest, walk } from "./nest.js";

/** A convolution of every channel with a kernel of its own. Whole vectors of channels are read and written. */
export interface DepthwiseOptions {
  /** Images: steps of all five parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output, other. */
  readonly rows: Axis;
  readonly columns: Axis;
  /** Vectors of channels. */
  readonly vectors: number;
  /** The kernel's rows and columns: steps of the input, dilation included. */
  readonly taps: readonly [Axis, Axis];
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
}

/** Up to this many weights of a vector of channels are kept in registers. */
const heldWeights = 9;

/**
 * Loops: batch › rows › vectors of channels › tiles of columns. Neighbouring results share inputs: each input vector of
 * a tile is read once and multiplied into every result that it is under,
 *
 *     sums[j] += input[x] · weights[x − j·stride]        for all j of the tile
 *
 * Parameters: input, weights by vector of channels and tap, bias, output, other.
 */
export const depthwise: Kernel<DepthwiseOptions> = {
  name: "depthwise",
  emit(options, engine) {
    const { batch, rows, columns, vectors, taps, bias: hasBias, epilogue } = options;
    const f = new FunctionBuilder(5);
    const [input, weights, bias, output, other] = parametersOf(f);
    const [tapRows, tapColumns] = taps;
    const [columnIn = 0, columnOut = 0, columnOther = 0] = columns.steps;
    const tapCount = tapRows.count * tapColumns.count;
    const held = tapCount <= heldWeights ? f.vectors(tapCount) : [];
    const start = f.local("v128");
    const x = f.local("v128");
    const dense = columnIn === (tapColumns.steps[0] ?? 0);
    const widest = dense ? engine.depthwise.dense : engine.depthwise.strided;
    const sums = f.vectors(Math.min(widest, columns.count));

    const weight = (tap: number): Vector => held[tap] ?? load(weights, tap * vectorBytes);
    const tile = (size: number): void => {
      const own = sums.slice(0, size);
      for (const sum of own) f.set(sum, start);
      for (let row = 0; row < tapRows.count; row += 1) {
        // By where the input lies, the results that it is under and through which tap.
        const uses = new Map<number, { readonly result: number; readonly tap: number }[]>();
        for (let result = 0; result < size; result += 1)
          for (let column = 0; column < tapColumns.count; column += 1) {
            const at = result * columnIn + column * (tapColumns.steps[0] ?? 0);
            const tap = row * tapColumns.count + column;
            uses.set(at, [...(uses.get(at) ?? []), { result, tap }]);
          }
        for (const [at, under] of [...uses].sort(([a], [b]) => a - b)) {
          f.set(x, load(input, row * (tapRows.steps[0] ?? 0) + at));
          for (const { result, tap } of under) {
            const sum = own[result];
            if (sum === undefined) continue;
            const next = engine.fused
              ? f32x4.relaxedMultiplyAdd(x, weight(tap), sum)
              : f32x4.add(f32x4.multiply(x, weight(tap)), sum);
            f.set(sum, next);
          }
        }
      }
      own.forEach((sum, at) => {
        emitEpilogue(f, sum, load(other, at * columnOther), epilogue);
        f.store(output, at * columnOut, sum);
      });
    };

    const vectorAxis: Axis = {
      count: vectors,
      steps: [
        vectorBytes,
        tapCount * vectorBytes,
        hasBias ? vectorBytes : 0,
        vectorBytes,
        vectorBytes,
      ],
    };
    const rowAxis: Axis = {
      count: rows.count,
      steps: [rows.steps[0] ?? 0, 0, 0, rows.steps[1] ?? 0, rows.steps[2] ?? 0],
    };
    const moving = usesOther(epilogue) ? f.parameters : f.parameters.slice(0, 4);
    nest(f, [...batch, rowAxis, vectorAxis], moving, () => {
      held.forEach((local, tap) => f.set(local, load(weights, tap * vectorBytes)));
      f.set(start, hasBias ? load(bias) : floats(0));
      for (const { size, count } of balanced(columns.count, widest)) {
        f.times(count, () => {
          tile(size);
          f.advance(input, size * columnIn);
          f.advance(output, size * columnOut);
          if (moving.includes(other)) f.advance(other, size * columnOther);
        });
      }
      const [inside, out, beside] = columns.steps.map((step) => step * columns.count);
      return [inside ?? 0, 0, 0, out ?? 0, beside ?? 0];
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { batch, rows, columns, vectors, taps, bias: hasBias, epilogue } = options;
    const tapCount = taps[0].count * taps[1].count;
    walk(batch, at, ([input = 0, weights = 0, bias = 0, output = 0, other = 0]) => {
      walk([rows, columns], [input, output, other], ([x = 0, y = 0, z = 0]) => {
        for (let c = 0; c < vectors * laneCount; c += 1) {
          let sum = hasBias ? (memory[bias / floatBytes + c] ?? 0) : 0;
          const [vector, lane] = [Math.floor(c / laneCount), c % laneCount];
          let tap = 0;
          walk(taps, [x], ([from = 0]) => {
            const place = weights / floatBytes + (vector * tapCount + tap) * laneCount + lane;
            sum += (memory[from / floatBytes + c] ?? 0) * (memory[place] ?? 0);
            tap += 1;
          });
          memory[y / floatBytes + c] = evaluateEpilogue(
            sum,
            memory[z / floatBytes + c] ?? 0,
            epilogue,
          );
        }
      });
    });
  },
};
