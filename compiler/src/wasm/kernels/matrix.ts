import { i32, i32Add, i32Multiply } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { evaluateEpilogue, parametersOf, usesOther } from "./epilogue.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Panel, type SumOptions, tileWriter } from "./matrix-tile.js";
import { type Axis, nest, walk } from "./nest.js";
import { alike, listedTiles } from "./tiling.js";

/**
 * A convolution, or a product of matrices, as one: result[row, column, n] = Σ over taps and run of input · weight.
 * Channels lie innermost, so that a row of a kernel is one contiguous run and nothing is unfolded; pads are zeros that
 * surround the input in memory.
 */
export interface MatrixOptions extends SumOptions {
  /** Around it all: images, groups, matrices of a batch. Steps of all five parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output, other. */
  readonly rows: Axis;
  readonly columns: Axis;
  /** Channels of the result. */
  readonly outputs: number;
  /** What is behind the last channel, up to a whole vector, is the output's own. */
  readonly padded: boolean;
  /** Places of rows and columns are read from a table that `tableOf` makes, and tiles go on from one row to the next. */
  readonly listed?: true;
}

/** Of panels and tiles. */
const mostCounts = 6;

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
 * A tile's sums stay in registers; each step of the sum reads one vector of weights per vector of channels and one float
 * per place, spread over the lanes:
 *
 *     sums[m][v] += spread(input[m]) · weights[v]        m < 6 places, v < 2 vectors
 *
 * Loops: batch › panels of output channels › tiles › taps › run, so that a panel's weights, read once per tile, stay in
 * the nearest cache. Where all weights do, tiles › panels: the input is read and the output written once, in order.
 * Parameters: input, weights in panels, bias, output, other, and the table where places are listed.
 */
export const matrix: Kernel<MatrixOptions> = {
  name: "matrix",
  emit(options, engine) {
    const { batch, rows, columns, bias: hasBias, epilogue } = options;
    const f = new FunctionBuilder(options.listed ? 6 : 5, engine.numbers);
    const [input, weights, bias, output, other] = parametersOf(f);
    const depth = options.taps.reduce((product, { count }) => product * count, options.run.count);
    const isListed = options.listed === true;
    const {
      columns: columnSteps,
      table,
      write,
    } = tileWriter(f, options, columns.steps, isListed, engine);
    const panels = panelsOf(options);
    const most = Math.floor((engine.matrix.rows * engine.matrix.vectors) / options.panel);
    const tiles = isListed
      ? listedTiles(rows.count * columns.count, most)
      : alike(columns.count, most);
    const rowCount = isListed ? 1 : rows.count;
    const hasOther = usesOther(epilogue);
    const rowNumber = f.number(rowCount);
    const rowSteps = rows.steps.map((step) => f.number(step));
    const panelBytes = f.number(depth * options.panel * vectorBytes);
    const counts = [...panels, ...tiles].map(({ count }) => f.number(count));
    for (let more = counts.length; more < mostCounts; more += 1) f.number(0);

    /** Calls `body` for each panel, pointers on it, and brings them back. */
    const overPanels = (body: (panel: Panel) => void): void => {
      const lanes = hasBias ? [bias, output] : [output];
      if (hasOther) lanes.push(other);
      f.keeping([weights, ...lanes], () => {
        panels.forEach((panel, at) => {
          const isLast = at === panels.length - 1 && panel.count === 1;
          const one = (): void => {
            body(panel);
            if (isLast) return;
            f.set(weights, i32Add(weights, panelBytes));
            for (const pointer of lanes) f.advance(pointer, panel.vectors * vectorBytes);
          };
          f.times(panel.count, one, counts[at]);
        });
      });
    };
    const moving = hasOther ? [input, output, other] : [input, output];
    /** Calls `body` for each tile, pointers on it or on the first place of all, and brings them back. */
    const overTiles = (body: (size: number) => void): void => {
      const row = (): void =>
        tiles.forEach(({ size, count }, at) => {
          const isLast = at === tiles.length - 1 && count === 1;
          const one = (): void => {
            body(size);
            if (isLast) return;
            if (isListed) f.advance(table, size * moving.length * floatBytes);
            else
              moving.forEach((pointer, operand) => {
                const step = i32Multiply(columnSteps[operand] ?? i32(0), i32(size));
                f.set(pointer, i32Add(pointer, step));
              });
          };
          f.times(count, one, counts[panels.length + at]);
        });
      if (isListed) {
        f.set(table, f.parameter(5));
        return row();
      }
      f.keeping(moving, () =>
        f.times(
          rowCount,
          () => {
            if (rowCount === 1) return row();
            f.keeping(moving, row);
            moving.forEach((pointer, operand) =>
              f.set(pointer, i32Add(pointer, rowSteps[operand] ?? i32(0))),
            );
          },
          rowNumber,
        ),
      );
    };

    const weightBytes = depth * vectorsOf(options.outputs) * vectorBytes;
    nest(f, batch, f.parameters, () => {
      if (weightBytes <= engine.matrix.near)
        overTiles((size) => overPanels((panel) => write(size, panel)));
      else overPanels((panel) => overTiles((size) => write(size, panel)));
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { batch, rows, columns, taps, run, outputs, panel, bias: hasBias, epilogue } = options;
    const depth = taps.reduce((product, { count }) => product * count, run.count);
    const written = options.padded ? vectorsOf(outputs) * laneCount : outputs;
    // What a place reads is the same for all outputs, and where a weight lies for all places: whole models are run.
    const read = new Float64Array(depth);
    const places = new Int32Array(written * depth);
    for (let n = 0; n < written; n += 1)
      for (let k = 0; k < depth; k += 1)
        places[n * depth + k] = packedAt(k, n, depth, outputs, panel);
    walk(batch, at, ([input = 0, weights = 0, bias = 0, output = 0, other = 0]) => {
      walk([rows, columns], [input, output, other], ([x = 0, y = 0, z = 0]) => {
        let k = 0;
        walk(taps, [x], ([tap = 0]) => {
          for (let i = 0; i < run.count; i += 1) {
            read[k] = memory[(tap + i * run.step) / floatBytes] ?? 0;
            k += 1;
          }
        });
        for (let n = 0; n < written; n += 1) {
          let sum = hasBias ? (memory[bias / floatBytes + n] ?? 0) : 0;
          for (k = 0; k < depth; k += 1)
            sum +=
              (read[k] ?? 0) * (memory[weights / floatBytes + (places[n * depth + k] ?? 0)] ?? 0);
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
