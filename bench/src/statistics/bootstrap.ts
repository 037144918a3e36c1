import type { Interval } from "@pare/runtime/format";
import { quantileSorted } from "./quantile.js";
import { pick, seeded } from "./random.js";

/**
 * Index lists for a bootstrap: `count` resamples of `units` with replacement, each unit bringing all of its members
 * (a group of samples from one image or one speaker is drawn whole, or intervals come out too narrow).
 */
export function resamples(
  units: readonly (readonly number[])[],
  count: number,
  seed: number,
): Uint32Array[] {
  const random = seeded(seed);
  const size = units.length;
  return Array.from({ length: count }, () => {
    const drawn: number[] = [];
    for (let unit = 0; unit < size; unit++) {
      for (const member of units[pick(random, size)] ?? []) drawn.push(member);
    }
    return Uint32Array.from(drawn);
  });
}

/** Samples by group: one unit per group, and one for each sample that has none. */
export function groupUnits(groups: readonly (string | null)[]): number[][] {
  const byName = new Map<string, number[]>();
  const units: number[][] = [];
  groups.forEach((name, index) => {
    const known = name === null ? undefined : byName.get(name);
    if (known) {
      known.push(index);
      return;
    }
    const unit = [index];
    units.push(unit);
    if (name !== null) byName.set(name, unit);
  });
  return units;
}

/** The two-sided percentile interval of bootstrap statistics; ones that are not finite (a resample without a class) are left out. */
export function percentileInterval(statistics: readonly number[], confidence: number): Interval {
  const ascending = Float64Array.from(statistics.filter(Number.isFinite)).sort();
  const tail = (1 - confidence) / 2;
  return [quantileSorted(ascending, tail), quantileSorted(ascending, 1 - tail)];
}

/**
 * The interval of a statistic of independent values.
 * @param statistic takes the resampled values; the array is reused, do not keep it
 */
export function bootstrapInterval(
  values: readonly number[],
  statistic: (values: Float64Array) => number,
  options: { readonly confidence: number; readonly resamples: number; readonly seed: number },
): Interval {
  const random = seeded(options.seed);
  const drawn = new Float64Array(values.length);
  const statistics = Array.from({ length: options.resamples }, () => {
    for (let index = 0; index < drawn.length; index++)
      drawn[index] = values[pick(random, values.length)] as number;
    return statistic(drawn);
  });
  return percentileInterval(statistics, options.confidence);
}
