import { i32, i32Add, i32Multiply, type Local, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { dots } from "../encode/integer-vectors.js";
import { numbersOfBytes } from "../engine.js";
import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { type Block, groupsOfBlock, overBlocks, Quads } from "./depthwise-i8-quads.js";
import { cutOf } from "./depthwise-i8-weights.js";
import { balanced, equal, nest } from "./nest.js";

/** Sums of a vector of channels that stay in registers, beside the quads that are multiplied. */
const mostSums = 6;
/** Rows that share what they read: more of them share hardly more. */
const mostRows = 4;

/**
 * Loops: batch › tiles of rows › blocks of channels › tiles of columns › rows of the input. A row of the input is turned
 * once, for all rows of the tile that it is in the window of. Where a tile is as high as the image, rows of the border are
 * not read: what they come to is added to where sums begin.
 */
export function emitBytesDepthwise(options: DepthwiseI8Options): FunctionBuilder {
  const { batch, rows, columns } = options;
  const f = new FunctionBuilder(4, numbersOfBytes);
  const tile = new RowTiles(f, options);
  const most = Math.min(mostRows, Math.floor(mostSums / cutOf(options).results));
  const [rowIn = 0, rowOut = 0] = rows.steps;
  const [columnIn = 0, columnOut = 0] = columns.steps;
  const number = (value: number): Local<"i32"> => f.number(value);
  const overColumns = (together: number, block: Block): readonly number[] => {
    tile.setStarts(together, block.groups);
    for (const { size, count } of columnTiles(options)) {
      const tiles = { count, steps: [size * columnIn, 0, 0, size * columnOut] };
      nest(f, [tiles], f.parameters, () => tile.write(together, size, block), number);
    }
    return [columns.count * columnIn, 0, 0, columns.count * columnOut];
  };
  const overRows = (): readonly number[] => {
    for (const { size, count } of equal(rows.count, isShared(options) ? most : 1)) {
      const tiles = { count, steps: [size * rowIn, 0, 0, size * rowOut] };
      const inBlocks = () => overBlocks(f, options, (block) => overColumns(size, block));
      nest(f, [tiles], f.parameters, inBlocks, number);
    }
    return [rows.count * rowIn, 0, 0, rows.count * rowOut];
  };
  nest(f, batch, f.parameters, overRows, number);
  return f;
}

/** Are rows of the input that one row of the result reads, those that another one does? */
function isShared({ rows, taps }: DepthwiseI8Options): boolean {
  return Number.isInteger(rowsApart(rows.steps[0], taps[0].steps[0]));
}

/** Rows of the kernel from one row of the result to the next. */
function rowsApart(step = 0, tap = 0): number {
  return step / tap;
}

/** Whole tiles first, and what is left. */
function columnTiles(
  options: DepthwiseI8Options,
): readonly { readonly size: number; readonly count: number }[] {
  const { results } = cutOf(options);
  const { count } = options.columns;
  const whole = Math.floor(count / results);
  return [{ size: results, count: whole }, ...balanced(count - whole * results, 1)];
}

class RowTiles {
  readonly #f: FunctionBuilder;
  readonly #options: DepthwiseI8Options;
  readonly #quads: Quads;
  readonly #apart: number;
  readonly #turned;
  /** Of each row; of all that there may be, so that what follows has the same locals in all functions. */
  readonly #sums: readonly ReturnType<Quads["sums"]>[];
  readonly #starts: readonly ReturnType<FunctionBuilder["vectors"]>[];
  readonly #toRow: Local<"i32">;
  readonly #toRowOut: Local<"i32">;
  readonly #from: Local<"i32">;
  readonly #to: Local<"i32">;

  constructor(f: FunctionBuilder, options: DepthwiseI8Options) {
    this.#f = f;
    this.#options = options;
    this.#quads = new Quads(f, options);
    this.#turned = this.#quads.row();
    const rows = Array.from({ length: mostRows }, (_, row) => row);
    this.#sums = rows.map(() => this.#quads.sums());
    this.#starts = rows.map(() => f.vectors(groupsOfBlock));
    const [[downStep = 0], [, rowOut = 0]] = [options.taps[0].steps, options.rows.steps];
    this.#toRow = f.number(downStep);
    this.#toRowOut = f.number(rowOut);
    this.#from = f.local("i32");
    this.#to = f.local("i32");
    this.#apart = isShared(options)
      ? rowsApart(options.rows.steps[0], options.taps[0].steps[0])
      : 1;
  }

  /** Sets where sums of each row begin, for all tiles of a block's columns. */
  setStarts(together: number, groups: number): void {
    const { border } = this.#options;
    for (let row = 0; row < together; row += 1) {
      const skipped = this.#windowOf(row).filter((at) => !this.#isRead(at, together));
      if (border === undefined || skipped.length === 0) continue;
      const outside = this.#f.spread("border", Math.imul(border.value, 0x01010101));
      const own = this.#starts[row] ?? [];
      own.slice(0, groups).forEach((start, group) => {
        this.#f.set(start, this.#quads.start(group));
        for (const at of skipped)
          this.#turned.forEach((_, each) => {
            const weights = this.#quads.weights(at - row * this.#apart, each, 0, group);
            this.#f.set(start, dots.relaxedOfBytes(weights, outside, start));
          });
      });
    }
  }

  /** Writes so many rows of so many columns. Pointers stay where they are. */
  write(together: number, size: number, block: Block): void {
    const { groups } = block;
    const all = Array.from({ length: together }, (_, row) =>
      (this.#sums[row] ?? []).slice(0, size),
    );
    all.forEach((sums, row) => {
      for (const own of sums)
        own
          .slice(0, groups)
          .forEach((sum, group) => this.#f.set(sum, this.#startOf(row, group, together)));
    });
    const f = this.#f;
    const last = this.#windowOf(together - 1).at(-1) ?? 0;
    f.set(this.#from, f.parameter(0));
    let standing = 0;
    for (let at = 0; at <= last; at += 1) {
      const inside = all.map((_, row) => this.#windowOf(row).includes(at));
      if (!this.#isRead(at, together) || !inside.includes(true)) continue;
      const rows = at - standing;
      if (rows > 0)
        f.set(
          this.#from,
          i32Add(this.#from, rows === 1 ? this.#toRow : i32Multiply(this.#toRow, i32(rows))),
        );
      standing = at;
      this.#quads.turn(this.#from, this.#turned, size, groups);
      all.forEach((sums, row) => {
        if (inside[row] === true)
          this.#quads.add(sums, at - row * this.#apart, this.#turned, groups);
      });
    }
    all.forEach((sums, row) => {
      f.set(this.#to, row === 0 ? f.parameter(3) : i32Add(this.#to, this.#toRowOut));
      this.#quads.finish(sums, block, this.#to);
    });
  }

  /** The rows of the input, from the first window's on, that a row of the result is made of. */
  #windowOf(row: number): readonly number[] {
    const [down] = this.#options.taps;
    return Array.from({ length: down.count }, (_, tap) => row * this.#apart + tap);
  }

  #isRead(at: number, together: number): boolean {
    const { border, rows } = this.#options;
    if (border === undefined || together < rows.count) return true;
    return at >= border.before && at < border.before + border.rows;
  }

  #startOf(row: number, group: number, together: number): Vector {
    const isOwn = this.#windowOf(row).some((at) => !this.#isRead(at, together));
    const own = isOwn ? this.#starts[row]?.[group] : undefined;
    return own ?? this.#quads.start(group);
  }
}
