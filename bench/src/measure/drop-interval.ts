import type { Interval } from "@pare/runtime/format";
import type { Scorer } from "../metrics/scorer.js";
import { percentileInterval } from "../statistics/bootstrap.js";
import { normalQuantile } from "../statistics/normal.js";
import { pairedDifference } from "../statistics/paired.js";
import { areEnough, unitDeviations, withUnseen } from "../statistics/unseen.js";

/** What was kept of two models on the same samples. */
interface Pair {
  readonly candidate: readonly unknown[];
  readonly float: readonly unknown[];
}

/** What was lost of a share of independent samples. */
export async function shareDrop(scorer: Scorer, pair: Pair, confidence: number): Promise<Interval> {
  const [now, before] = await eachSample(scorer, pair);
  let lost = 0;
  let gained = 0;
  for (const [position, right] of before.entries()) {
    if (right > (now[position] ?? 0)) lost++;
    else if (right < (now[position] ?? 0)) gained++;
  }
  return pairedDifference(lost, gained, before.length, normalQuantile((1 + confidence) / 2));
}

/**
 * What was lost of any metric, by its drops over resamples of units; where it is a mean, with what was not seen.
 * @param drops that of all samples, and those of the resamples
 * @param units positions of samples that are drawn together
 * @returns null where units are too few, or none differs from the others, and nothing says how far one might
 */
export async function resampledDrop(
  scorer: Scorer,
  pair: Pair,
  [drop, drops]: readonly [number, readonly number[]],
  units: readonly (readonly number[])[],
  confidence: number,
): Promise<Interval | null> {
  if (!areEnough(units.length, confidence)) return null;
  const interval = percentileInterval(drops, confidence);
  if (!scorer.mean) return interval[0] < interval[1] ? interval : null;
  const [now, before] = await eachSample(scorer, pair);
  const sign = scorer.direction === "higher" ? 1 : -1;
  const lost = before.map((value, at) => sign * (value - (now[at] ?? Number.NaN)));
  const deviations = unitDeviations(lost, drop, units);
  const most = scorer.proportion ? 1 : rangeOf([...now, ...before]);
  return withUnseen(interval, drop, deviations, most, confidence);
}

/** Of a metric that is a mean, its value for each sample. */
async function eachSample(
  scorer: Scorer,
  { candidate, float }: Pair,
): Promise<readonly [now: readonly number[], before: readonly number[]]> {
  return [await valuesOf(scorer, candidate), await valuesOf(scorer, float)];
}

/** Of a metric that is a mean, its value for each sample of one model. */
export function valuesOf(scorer: Scorer, kept: readonly unknown[]): Promise<readonly number[]> {
  const each = kept.map((_, position) => [position]);
  return scorer.reduce(kept, each);
}

/** How far apart values are; null where they are all the same. */
function rangeOf(values: readonly number[]): number | null {
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)] as const,
    [Infinity, -Infinity] as const,
  );
  return high > low ? high - low : null;
}
