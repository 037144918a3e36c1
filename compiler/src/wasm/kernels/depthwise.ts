import { floats, i32, i32Add, i32Multiply, load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  emitEpilogue,
  type Epilogue,
  evaluateEpilogue,
  parametersOf,
  usesOther,
} from "./epilogue.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { multiplyAdd } from "./multiply-add.js";
import { type Axis, nest, walk } from "./nest.js";
import { alike } from "./tiling.js";

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

/** Up to this many rows of a kernel are written one after the other. */
const straight = 2;
/** Up to this many weights of a row of the kernel are kept in registers. */
const mostHeld = 5;

/**
 * Neighbouring results share inputs: each input vector of a tile is read once and multiplied into every result that it is
 * under,
 *
 *     sums[j] += input[x] · weights[x − j·stride]        for all j of the tile
 *
 * Loops: batch › rows › tiles of columns › vectors of channels, so that memory is read and written in its order; where rows
 * stay in the nearest cache, vectors of channels › tiles of columns.
 * Parameters: input, weights by vector of channels and tap, bias, output, other.
 */
export const depthwise: Kernel<DepthwiseOptions> = {
  name: "depthwise",
  emit(options, engine) {
    const { batch, rows, columns, vectors, taps, bias: hasBias, epilogue } = options;
    const f = new FunctionBuilder(5, engine.numbers);
    const [input, weights, bias, output, other] = parametersOf(f);
    const [tapRows, tapColumns] = taps;
    const [columnIn = 0] = columns.steps;
    const [rowStep = 0, columnStep = 0] = [tapRows.steps[0], tapColumns.steps[0]];
    const tapCount = tapRows.count * tapColumns.count;
    const widest = columnIn === columnStep ? engine.depthwise.dense : engine.depthwise.strided;
    const hasOther = usesOther(epilogue);
    const x = f.local("v128");
    const sums = f.vectors(widest);
    const held = tapColumns.count <= mostHeld ? f.vectors(tapColumns.count) : [];
    const [line, weight] = [f.local("i32"), f.local("i32")];
    const [to, beside] = [f.local("i32"), f.local("i32")];
    const parts = alike(columns.count, widest);
    const counts = [...parts, rows].map(({ count }) => f.number(count));
    const vectorCount = f.number(vectors);
    const columnSteps = columns.steps.map((step) => f.number(step));
    const rowSteps = rows.steps.map((step) => f.number(step));

    const follow = (local: Local<"i32">, pointer: Local<"i32">, at: number, operand: number) =>
      f.set(local, at === 0 ? pointer : i32Add(local, columnSteps[operand] ?? i32(0)));
    const tile = (size: number): void => {
      const own = sums.slice(0, size);
      for (const sum of own) f.set(sum, hasBias ? load(bias) : floats(0));
      const columnsUnder = inputsUnder(size, columnIn, tapColumns.count, columnStep);
      /** A row of the kernel: offsets are in the instructions, which costs nothing beside the products. */
      const kernelRow = (x0: Local<"i32">, offset: number, w: Local<"i32">, at: number): void => {
        held.forEach((local, tap) => f.set(local, load(w, at + tap * vectorBytes)));
        for (const { at: column, under } of columnsUnder) {
          f.set(x, load(x0, offset + column));
          for (const { result, tap } of under) {
            const sum = own[result] ?? x;
            const by = held[tap] ?? load(w, at + tap * vectorBytes);
            f.set(sum, multiplyAdd(x, by, sum, engine.fused));
          }
        }
      };
      const rowBytes = tapColumns.count * vectorBytes;
      if (tapRows.count <= straight) {
        for (let row = 0; row < tapRows.count; row += 1)
          kernelRow(input, row * rowStep, weights, row * rowBytes);
      } else {
        f.set(line, input);
        f.set(weight, weights);
        f.times(tapRows.count, () => {
          kernelRow(line, 0, weight, 0);
          f.advance(line, rowStep);
          f.advance(weight, rowBytes);
        });
      }
      own.forEach((sum, at) => {
        follow(to, output, at, 1);
        if (hasOther) follow(beside, other, at, 2);
        f.set(x, sum);
        emitEpilogue(f, x, load(beside), epilogue, engine.fused);
        f.store(to, 0, x);
      });
    };

    const moving = hasOther ? [input, output, other] : [input, output];
    const advance = (steps: readonly Local<"i32">[], times: number): void =>
      moving.forEach((pointer, operand) => {
        const step = steps[operand] ?? i32(0);
        f.set(pointer, i32Add(pointer, times === 1 ? step : i32Multiply(step, i32(times))));
      });
    const all = hasOther ? f.parameters : f.parameters.slice(0, 4);
    const vectorSteps = [vectorBytes, tapCount * vectorBytes, hasBias ? vectorBytes : 0];
    const overVectors = (body: () => void): void =>
      f.keeping(all, () =>
        f.times(
          vectors,
          () => {
            body();
            all.forEach((pointer, at) => f.advance(pointer, vectorSteps[at] ?? vectorBytes));
          },
          vectorCount,
        ),
      );
    const overTiles = (body: (size: number) => void): void =>
      parts.forEach(({ size, count }, at) =>
        f.times(
          count,
          () => {
            body(size);
            advance(columnSteps, size);
          },
          counts[at],
        ),
      );
    const rowsBytes = (tapRows.count + 1) * columns.count * columnIn;
    const overRow = (): void =>
      rowsBytes <= engine.depthwise.near
        ? overVectors(() => f.keeping(moving, () => overTiles(tile)))
        : overTiles((size) => overVectors(() => tile(size)));
    nest(f, batch, f.parameters, () =>
      f.keeping(moving, () =>
        f.times(
          rows.count,
          () => {
            f.keeping(moving, overRow);
            advance(rowSteps, 1);
          },
          counts.at(-1),
        ),
      ),
    );
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

/** Inputs under a row of neighbouring results, by where they lie: which results each is under, and through which tap. */
function inputsUnder(
  size: number,
  stride: number,
  taps: number,
  step: number,
): readonly {
  readonly at: number;
  readonly under: readonly { readonly result: number; readonly tap: number }[];
}[] {
  const uses = new Map<number, { readonly result: number; readonly tap: number }[]>();
  for (let result = 0; result < size; result += 1)
    for (let tap = 0; tap < taps; tap += 1) {
      const at = result * stride + tap * step;
      uses.set(at, [...(uses.get(at) ?? []), { result, tap }]);
    }
  return [...uses].sort(([a], [b]) => a - b).map(([at, under]) => ({ at, under }));
}
