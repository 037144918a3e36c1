import type { DecodeOptions } from "../kernels/decode-i8.js";
import { laneCount } from "../kernels/kernel.js";

/** Scales of floats as they lie in memory: a row for each block of rows that share it. */
export interface ScaleRuns {
  readonly runs: readonly DecodeOptions[];
  readonly scales: Float32Array;
}

/** Panels of weights are up to three vectors wide; of a table, each row has a scale of its own. */
const widths = [1, 2, 3] as const;
/** Each run is a call. */
const mostRuns = 8;

/**
 * Where floats in a memory's order have scales, in the fewest numbers.
 * @param scales one for each float, whole vectors of them; 0 where any will do
 * @returns undefined where that saves too little, or takes too many calls
 */
export function scaleRuns(scales: Float32Array): ScaleRuns | undefined {
  let best: ScaleRuns | undefined;
  for (const width of widths) {
    const found = runsOf(scales, width * laneCount);
    if (found.runs.length <= mostRuns && found.scales.length < (best?.scales.length ?? Infinity))
      best = found;
  }
  // Of four bytes one is left, and scales are not to take another.
  return best !== undefined && best.scales.length * 4 <= scales.length ? best : undefined;
}

/** Rows of so many floats, or of what is left at the end, as long as they have the same scales. */
function runsOf(all: Float32Array, width: number): ScaleRuns {
  const scales: number[] = [];
  const runs: { blocks: number; rows: number; vectors: number }[] = [];
  for (let at = 0; at < all.length;) {
    const size = Math.min(width, all.length - at);
    const row = all.slice(at, at + size);
    let rows = 1;
    for (at += size; at + size <= all.length && joins(row, all, at); at += size) rows += 1;
    for (const scale of row) scales.push(scale);
    const vectors = size / laneCount;
    const last = runs.at(-1);
    if (last?.rows === rows && last.vectors === vectors) last.blocks += 1;
    else runs.push({ blocks: 1, rows, vectors });
    if (runs.length > mostRuns) break;
  }
  return { runs, scales: Float32Array.from(scales) };
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
