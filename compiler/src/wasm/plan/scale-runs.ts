import { blockOf, mostRows, mostSteps } from "../kernels/decode-i8.js";
import { floatBytes, laneCount } from "../kernels/kernel.js";

/** Scales of floats as they lie in memory: of rows, in blocks that share them. */
export interface ScaleRuns {
  /** Those of a row, behind one another; a row of them is there once. */
  readonly scales: Float32Array;
  readonly runs: readonly ScaleRun[];
}

/** Rows of one width. */
export interface ScaleRun {
  readonly vectors: number;
  readonly floats: number;
  /** As `decodeI8` reads them. */
  readonly blocks: Int32Array;
}

/** In vectors. Panels of weights are up to three wide; of a table whose blocks go down its columns a row is one long row. */
const widths = [1, 2, 3, 8] as const;

/**
 * Where floats in a memory's order have scales, in the fewest bytes.
 * @param scales one for each float, whole vectors of them; 0 where any will do
 * @returns undefined where that saves too little
 */
export function scaleRuns(scales: Float32Array): ScaleRuns | undefined {
  let best: ScaleRuns | undefined;
  // Of four bytes one is left, and scales are not to take another.
  let most = scales.length;
  for (const width of widths) {
    const found = runsOf(scales, width, most);
    if (found === undefined) continue;
    best = found;
    most = bytesOf(found) - 1;
  }
  return best;
}

function bytesOf({ scales, runs }: ScaleRuns): number {
  return runs.reduce((sum, { blocks }) => sum + blocks.byteLength, scales.byteLength);
}

/**
 * Rows of so many vectors, and one of what is left at the end.
 * @param most bytes that it may take
 */
function runsOf(all: Float32Array, vectors: number, most: number): ScaleRuns | undefined {
  const width = vectors * laneCount;
  const whole = all.length - (all.length % width);
  const rows = new Rows();
  const runs: ScaleRun[] = [];
  for (const part of [all.subarray(0, whole), all.subarray(whole)]) {
    if (part.length === 0) continue;
    const size = Math.min(width, part.length);
    const blocks = blocksOf(part, size, rows, most);
    if (blocks === undefined) return undefined;
    runs.push({ vectors: size / laneCount, floats: part.length, blocks });
  }
  const found = { scales: rows.joined, runs };
  return bytesOf(found) <= most ? found : undefined;
}

/** Rows that follow on one another are of one block as long as they have the same scales. */
function blocksOf(
  all: Float32Array,
  width: number,
  rows: Rows,
  most: number,
): Int32Array | undefined {
  const blocks: number[] = [];
  let before = 0;
  for (let at = 0; at < all.length;) {
    const row = all.slice(at, at + width);
    let count = 1;
    for (at += width; at < all.length && joins(row, all, at); at += width) count += 1;
    const place = rows.placeOf(row);
    let steps = (place - before) / laneCount;
    for (; count > 0; count -= mostRows, steps = 0)
      blocks.push(blockOf(Math.min(count, mostRows), steps));
    before = place;
    if ((rows.length + blocks.length) * floatBytes > most) return undefined;
  }
  return Int32Array.from([...blocks, 0]);
}

/** Whether the next row has the same scales; those that a row leaves open are the other's then. */
function joins(row: Float32Array, all: Float32Array, at: number): boolean {
  let leavesOpen = false;
  for (let lane = 0; lane < row.length; lane += 1) {
    const scale = row[lane] as number;
    const other = all[at + lane] as number;
    if (scale === other) continue;
    if (scale !== 0 && other !== 0) return false;
    leavesOpen ||= scale === 0;
  }
  if (leavesOpen)
    for (let lane = 0; lane < row.length; lane += 1)
      if (row[lane] === 0) row[lane] = all[at + lane] as number;
  return true;
}

/** As text; a part at a time, for a call takes some hundred thousand arguments at most. */
function keyOf(row: Float32Array): string {
  const halves = new Uint16Array(row.buffer);
  let key = "";
  for (let at = 0; at < halves.length; at += partOfKey)
    key += String.fromCharCode(...halves.subarray(at, at + partOfKey));
  return key;
}

const partOfKey = 4096;

/** Rows of scales behind one another, each of them once, or again where it is so far back that no step reaches it. */
class Rows {
  readonly #rows: Float32Array[] = [];
  readonly #places = new Map<string, number>();
  /** In floats. */
  length = 0;

  /** From there to the end, and so to every other that is given, is at most a step. */
  placeOf(row: Float32Array): number {
    const key = keyOf(row);
    const known = this.#places.get(key);
    if (known !== undefined && this.length - known <= mostSteps * laneCount) return known;
    const place = this.length;
    this.#places.set(key, place);
    this.#rows.push(row);
    this.length += row.length;
    return place;
  }

  get joined(): Float32Array {
    const joined = new Float32Array(this.length);
    let at = 0;
    for (const row of this.#rows) {
      joined.set(row, at);
      at += row.length;
    }
    return joined;
  }
}
