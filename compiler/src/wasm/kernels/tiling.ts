import { type Axis, balanced } from "./nest.js";

/** Tiles of one size that follow on one another. */
export interface Tiles {
  readonly size: number;
  readonly count: number;
}

/** A row's columns in tiles, all of one size where the next smaller divides them: half the code, and hardly more tiles. */
export function alike(columns: number, most: number): readonly Tiles[] {
  const isAlike = most > 4 && columns % most > 0 && columns % (most - 1) === 0;
  return isAlike ? [{ size: most - 1, count: columns / (most - 1) }] : balanced(columns, most);
}

/** Places that a table has more than there are: the last one again, so that the last tile may be whole. */
const spare = 12;
/** Results that may be computed again for all tiles to be whole, of all. */
const mostAgain = 0.015;

/** Listed places in tiles: whole ones, where that computes few of them twice. */
export function listedTiles(places: number, most: number): readonly Tiles[] {
  const count = Math.ceil(places / most);
  const again = count * most - places;
  return again <= Math.min(spare, mostAgain * places)
    ? [{ size: most, count }]
    : alike(places, most);
}

/**
 * The table of places that `matrix` reads: for each of them its offsets in input, output and, if it is there, other.
 * Small maps go in it whose rows do not lie behind one another: cut by themselves, tiles would be small.
 */
export function tableOf(rows: Axis, columns: Axis, hasOther: boolean): Int32Array {
  const operands = hasOther ? [0, 1, 2] : [0, 1];
  const places = rows.count * columns.count;
  return Int32Array.from(
    Array.from({ length: places + spare }, (_, at) => Math.min(at, places - 1)).flatMap((at) => {
      const [row, column] = [Math.floor(at / columns.count), at % columns.count];
      return operands.map(
        (operand) => row * (rows.steps[operand] ?? 0) + column * (columns.steps[operand] ?? 0),
      );
    }),
  );
}

/** Of the largest map that is listed. */
const mostPlaces = 256;
/** Columns that tiles of every engine divide. */
const wholeTile = 12;

/** Is a map better listed than cut row by row? */
export function wantsTable(rows: Axis, columns: Axis): boolean {
  const places = rows.count * columns.count;
  return rows.count > 1 && places <= mostPlaces && columns.count % wholeTile > 0;
}
