import { binomialCdf } from "../statistics/binomial.js";
import { quantileSorted } from "../statistics/quantile.js";

/**
 * MLPerf's early-stopping rule: an estimate of the `percentile` that is at or above the true one with 99 % confidence,
 * the (t + 1)-th largest time for the largest t with P(Binomial(n, 1 − percentile) ≤ t) ≤ 1 %, and t at least 1.
 * That takes 64 runs for p90 and 662 for p99; null with fewer.
 */
export function tailPercentile(ascending: ArrayLike<number>, percentile: number): number | null {
  const n = ascending.length;
  const enough = (t: number) => binomialCdf(t, n, 1 - percentile) <= 0.01;
  let t = 1;
  if (!enough(t)) return null;
  while (enough(t + 1)) t++;
  return ascending[n - 1 - t] ?? null;
}

/** @param runs of which each time is the mean: beyond one, slow runs vanish in it, and there is a median only */
export function percentiles(
  times: readonly number[],
  runs: number,
): {
  p50: number;
  p90: number | null;
  p99: number | null;
} {
  const ascending = Float64Array.from(times).sort();
  const single = runs === 1;
  return {
    p50: quantileSorted(ascending, 0.5),
    // Of fewer runs than could bound it, it is no more than one of the slowest.
    p90: single && tailPercentile(ascending, 0.9) !== null ? quantileSorted(ascending, 0.9) : null,
    p99: single ? tailPercentile(ascending, 0.99) : null,
  };
}
