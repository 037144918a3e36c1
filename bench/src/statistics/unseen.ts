import type { Interval } from "@pare/runtime/format";
import { clopperPearson } from "./binomial.js";

/** So far apart, as a share, equal values come out of sums. */
const rounding = 1e-9;

/**
 * Whether so many values are enough for an interval from themselves alone. The least and the greatest of n hold the middle
 * of their distribution between them but for a chance of 2^(1 − n) (Thompson 1936), and no resample's mean lies beyond.
 */
export function areEnough(n: number, confidence: number): boolean {
  return 2 ** (1 - n) <= 1 - confidence;
}

/** How far units of samples lie from the mean of all, each by what it adds to it where all had as many. */
export function unitDeviations(
  values: readonly number[],
  mean: number,
  units: readonly (readonly number[])[],
): readonly number[] {
  const perUnit = values.length / units.length;
  return units.map((unit) =>
    unit.reduce((sum, at) => sum + ((values[at] ?? Number.NaN) - mean) / perUnit, 0),
  );
}

/**
 * A bootstrap interval of a mean, and what may not have been seen yet. A resample holds nothing else: where all values are
 * equal its interval has no width, and where those that differ all lie on one side it ends on the other with the rest.
 * What shows in none of n may be as frequent as Clopper and Pearson's bound for none of n (the rule of three; Hanley and
 * Lippman-Hand 1983), and is taken to lie as far from the mean, on either side, as the farthest that was seen. Where more
 * than a few values differ, the bootstrap's interval is the wider one, and stays as it is.
 * @param deviations of the values, from the mean
 * @param most how far a value may lie from the mean, for where none differs; null where nothing says
 * @returns null where no value differs, and nothing says how far one might
 */
export function withUnseen(
  [low, high]: Interval,
  mean: number,
  deviations: readonly number[],
  most: number | null,
  confidence: number,
): Interval | null {
  const seen = deviations.reduce((far, each) => Math.max(far, Math.abs(each)), 0);
  const farthest = seen > rounding * Math.abs(mean) ? seen : most;
  if (farthest === null) return null;
  const [, share] = clopperPearson(0, deviations.length, confidence);
  return [Math.min(low, mean - share * farthest), Math.max(high, mean + share * farthest)];
}
