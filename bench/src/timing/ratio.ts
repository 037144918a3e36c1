import type { Interval } from "@pare/runtime/format";
import { bootstrapInterval } from "../statistics/bootstrap.js";
import { fewRatiosInterval } from "../statistics/few-ratios.js";
import { median } from "../statistics/quantile.js";
import { areEnough } from "../statistics/unseen.js";
import type { BlockTimes } from "./blocks.js";

/** A change in time below this is not worth a word, and a machine at rest cannot tell it from nothing. */
export const noticeable = 0.02;

const confidence = 0.99;

export interface Ratio {
  /** Median time of the second model over that of the first; below 1 is faster. */
  readonly ratio: number;
  /** 99 %: by bootstrap over blocks, or of so few as slow models get, by how blocks usually differ. */
  readonly interval: Interval;
  readonly blocks: number;
}

/**
 * The typical ratio of two models timed in the same blocks, the time of `model` over that of `base`: the median over
 * blocks of the ratio of their medians.
 */
export function ratioOf(blocks: readonly BlockTimes[], seed: number, base = 0, model = 1): Ratio {
  const ratios = blocks.map((block) => median(block[model] ?? []) / median(block[base] ?? []));
  const interval = areEnough(ratios.length, confidence)
    ? bootstrapInterval(ratios, median, { confidence, resamples: 1000, seed })
    : fewRatiosInterval(ratios);
  return { ratio: median(ratios), interval, blocks: blocks.length };
}

/** Known to within ±2 % of itself. */
export function isPrecise([low, high]: Interval): boolean {
  return high * (1 - noticeable) <= low * (1 + noticeable);
}

export type Comparison = "better" | "worse" | "tie" | "inconclusive";

/**
 * What an interval of a ratio shows: better or worse by more than 2 %, a tie when all of it lies within ±2 %, and
 * else nothing yet.
 */
export function compareRatio([low, high]: Interval): Comparison {
  if (high < 1 - noticeable) return "better";
  if (low > 1 + noticeable) return "worse";
  return low >= 1 - noticeable && high <= 1 + noticeable ? "tie" : "inconclusive";
}
