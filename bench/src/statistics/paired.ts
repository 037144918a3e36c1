import type { Interval } from "@pare/runtime/format";

/**
 * The interval (95 % with the z given here) of the difference of two shares over the same samples, after Agresti and Min (2005): Wald's with
 * one half added to each cell, so that no flip at all in 50 samples still allows for some.
 * @param lost right before and wrong after; `gained` the other way round
 * @returns interval of (lost − gained) / n
 */
export function pairedDifference(lost: number, gained: number, n: number, z = 1.959964): Interval {
  const total = n + 2;
  const difference = lost - gained;
  const spread = (z * Math.sqrt(Math.max(0, lost + gained + 1 - difference ** 2 / total))) / total;
  return [difference / total - spread, difference / total + spread];
}
