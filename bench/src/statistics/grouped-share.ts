import type { Interval } from "@pare/runtime/format";
import { percentileInterval } from "./bootstrap.js";
import { mean } from "./quantile.js";
import { areEnough, unitDeviations, withUnseen } from "./unseen.js";

/**
 * The 95 % interval of a share of samples that are alike in groups: a bootstrap over groups, and what none of them showed.
 * @param each 1 for the samples that count, and 0 for the others
 * @param units positions of samples that are drawn together
 * @param picks positions of the samples of each resample of units
 * @returns all of 0 to 1 where groups are too few to say
 */
export function groupedShare(
  each: readonly number[],
  units: readonly (readonly number[])[],
  picks: readonly ArrayLike<number>[],
): Interval {
  const confidence = 0.95;
  if (!areEnough(units.length, confidence)) return [0, 1];
  const share = mean(each);
  const deviations = unitDeviations(each, share, units);
  const drawn = picks.map((pick) => mean(Array.from(pick, (at) => each[at] ?? 0)));
  const [low, high] = withUnseen(
    percentileInterval(drawn, confidence),
    share,
    deviations,
    1,
    confidence,
  ) ?? [0, 1];
  return [Math.max(0, low), Math.min(1, high)];
}
