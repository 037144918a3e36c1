import type { LatencyRatio } from "@pare/runtime/format";

/** A share of the multiply-accumulates, and the latency of what it leaves over that of the whole model. */
export interface TimedShare {
  readonly keepFlops: number;
  readonly latency: LatencyRatio;
}

export interface SharesTimed {
  /** The largest that is quick enough, for sure; null where none is. */
  readonly chosen: TimedShare | null;
  /** In the order in which they were timed. */
  readonly tried: readonly TimedShare[];
}

/** Shares closer than this are not told apart: blocks of channels are coarser. */
const finest = 0.02;

/**
 * Looks for the largest share that leaves a latency of at most `wish`, by halving, as latency falls with the share. What
 * is chosen was timed: with all of its interval it is quick enough.
 * @param least the smallest share that can be left
 * @param latencyAt times the model that is cut to a share
 */
export async function shareByLatency(
  wish: number,
  least: number,
  latencyAt: (keepFlops: number) => Promise<LatencyRatio>,
): Promise<SharesTimed> {
  const tried: TimedShare[] = [];
  const isQuick = async (keepFlops: number): Promise<boolean> => {
    const latency = await latencyAt(keepFlops);
    tried.push({ keepFlops, latency });
    return latency.interval[1] <= wish;
  };
  let [low, high] = [least, 1];
  while (high - low > finest) {
    const middle = Number(((low + high) / 2).toFixed(4));
    if (await isQuick(middle)) low = middle;
    else high = middle;
  }
  if (low === least) await isQuick(least);
  const quick = tried.filter(({ latency }) => latency.interval[1] <= wish);
  const chosen = quick.reduce<TimedShare | null>(
    (best, one) => (best === null || one.keepFlops > best.keepFlops ? one : best),
    null,
  );
  return { chosen, tried };
}
