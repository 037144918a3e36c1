import type { Latency, Tensors } from "@pare/runtime/format";
import type { EngineHost, LoadedModel } from "../engines/host.js";
import type { BlockTimes } from "../timing/blocks.js";
import { median } from "../statistics/quantile.js";
import { percentiles } from "../timing/percentiles.js";
import { compareRatio, ratioOf } from "../timing/ratio.js";

export interface LatencyLimits {
  /** Of both models together. */
  readonly warmUpMs: number;
  /** Blocks that are always timed, unless they take `maxMs`. */
  readonly blocks: number;
  /** Blocks at which a comparison that is still open stays inconclusive. */
  readonly maxBlocks: number;
  readonly maxMs: number;
}

/** Enough for a candidate among others: most comparisons are decided well before. */
export const candidateLimits: LatencyLimits = {
  warmUpMs: 1500,
  blocks: 15,
  maxBlocks: 60,
  maxMs: 4000,
};
/** For numbers that are published and gated. */
export const finalLimits: LatencyLimits = {
  warmUpMs: 3000,
  blocks: 25,
  maxBlocks: 120,
  maxMs: 12_000,
};

const blocksPerCall = 5;
const fewestBlocks = 5;

/**
 * Times a model, against a baseline where there is one, in interleaved blocks; goes on while it is undecided which is
 * faster, up to the limits.
 * @param models the model alone, or the baseline and the model
 */
export async function measureLatency(
  host: EngineHost,
  models: readonly [LoadedModel] | readonly [LoadedModel, LoadedModel],
  feeds: readonly Tensors[],
  options: {
    readonly limits: LatencyLimits;
    readonly seed: number;
    readonly signal?: AbortSignal | undefined;
    readonly threads?: number;
  },
): Promise<Latency> {
  const { limits, seed, signal } = options;
  const plan = await host.warmUp(models, feeds, limits.warmUpMs / models.length, signal);
  const blocks: BlockTimes[] = [];
  const started = performance.now();
  const paired = models.length === 2;
  for (;;) {
    blocks.push(
      ...(await host.time(
        models,
        feeds,
        { ...plan, seed: seed + blocks.length },
        blocksPerCall,
        signal,
      )),
    );
    const spent = performance.now() - started;
    const enough =
      blocks.length >= limits.blocks &&
      (!paired || compareRatio(ratioOf(blocks, seed).interval) !== "inconclusive");
    const timedOut =
      blocks.length >= fewestBlocks && spent * (1 + blocksPerCall / blocks.length) > limits.maxMs;
    if (enough || timedOut || blocks.length >= limits.maxBlocks) break;
  }
  const times = blocks.flatMap((block) => block[models.length - 1] ?? []);
  const compared = paired ? ratioOf(blocks, seed) : null;
  return {
    ...percentiles(times),
    n: times.length,
    method: describe(
      blocks.length,
      plan.units[models.length - 1] ?? 1,
      plan.batch[models.length - 1] ?? 1,
      paired,
      options.threads ?? 1,
      feeds[0],
    ),
    ratio: compared?.ratio ?? null,
    ratioInterval: compared?.interval ?? null,
    ...(paired && { baselineP50: median(blocks.flatMap((block) => block[0] ?? [])) }),
  };
}

function describe(
  blocks: number,
  units: number,
  batch: number,
  paired: boolean,
  threads: number,
  feeds: Tensors = {},
): string {
  const shapes = Object.entries(feeds).map(
    ([name, { dims }]) => `${name} ${dims.length ? dims.join("×") : "scalar"}`,
  );
  const runs = batch === 1 ? `${units} runs` : `${units} times ${batch} runs`;
  return `${threads === 1 ? "1 thread" : `${threads} threads`}, ${blocks} ${paired ? "blocks interleaved with the baseline's" : "blocks"}, ${runs} each, ${shapes.join(", ")}`;
}
