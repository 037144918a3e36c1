import type {
  Latency,
  LatencyComparison,
  LatencyLimits,
  LatencyRatio,
  Tensors,
} from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost, LoadedModel } from "../engines/host.js";
import { median } from "../statistics/quantile.js";
import type { BlockTimes, Clock, TimingPlan } from "../timing/blocks.js";
import { percentiles } from "../timing/percentiles.js";
import { compareRatio, isPrecise, ratioOf } from "../timing/ratio.js";

const mostBlocksPerCall = 5;

/** A timing that was interrupted: what it had measured. */
export interface BegunTiming {
  readonly plan: Pick<TimingPlan, "batch" | "units" | "unseen">;
  readonly blocks: readonly BlockTimes[];
  readonly spentMs: number;
}

/**
 * Times models in interleaved blocks; goes on while it is undecided how any of them compares with the fastest, or not known
 * precisely where that is enough, up to the limits.
 * @param models the first is what the ratios of the latencies are to
 */
export async function measureLatency(
  host: Pick<EngineHost, "warmUp" | "time">,
  models: readonly LoadedModel[],
  feeds: readonly Tensors[],
  options: CallOptions & {
    readonly limits: LatencyLimits;
    readonly seed: number;
    readonly threads?: number;
    /** By which the limits count. */
    readonly clock?: Clock;
    /** Gone on with: blocks tell models apart by what is within them, whenever they were timed. */
    readonly begun?: BegunTiming | undefined;
    /** Told what there is when the signal is raised. */
    readonly onInterrupted?: ((begun: BegunTiming) => Promise<void>) | undefined;
  },
): Promise<LatencyComparison> {
  const { limits, seed, clock = performance, begun, onInterrupted } = options;
  const { untilPrecise = false } = limits;
  const now = await host.warmUp(models, feeds, limits.warmUpMs / models.length, options);
  const plan = { ...now, ...begun?.plan };
  const blocks: BlockTimes[] = [...(begun?.blocks ?? [])];
  const started = clock.now() - (begun?.spentMs ?? 0);
  const blocksPerCall = Math.min(mostBlocksPerCall, limits.blocks);
  for (;;) {
    const drawn = { ...plan, seed: seed + blocks.length };
    try {
      blocks.push(...(await host.time(models, feeds, drawn, blocksPerCall, options)));
    } catch (error) {
      if (options.signal?.aborted === true && blocks.length > 0)
        await onInterrupted?.({ plan, blocks, spentMs: clock.now() - started });
      throw error;
    }
    const spent = clock.now() - started;
    const enough =
      blocks.length >= limits.blocks && isDecided(blocks, models.length, seed, untilPrecise);
    const timedOut = spent * (1 + blocksPerCall / blocks.length) > limits.maxMs;
    if (enough || timedOut || blocks.length >= limits.maxBlocks) break;
  }
  return comparisonOf(blocks, plan, seed, options.threads ?? 1, feeds[0]);
}

/** What blocks of times come to, for each of the models that were timed in them; ratios are to the first. */
export function comparisonOf(
  blocks: readonly BlockTimes[],
  plan: Pick<TimingPlan, "batch" | "units">,
  seed: number,
  threads: number,
  feeds: Tensors = {},
): LatencyComparison {
  const models = plan.batch.length;
  const indexes = plan.batch.map((_, index) => index);
  const between = indexes.map((a) =>
    indexes.map((b): LatencyRatio => (a === b ? same : ratioOf(blocks, seed, a, b))),
  );
  const latencies = plan.batch.map((batch, index): Latency => {
    const times = blocks.flatMap((block) => block[index] ?? []);
    const compared = index === 0 ? null : (between[0]?.[index] ?? null);
    const units = plan.units[index] ?? 1;
    return {
      ...percentiles(times, batch),
      n: times.length,
      method: describe(blocks.length, units, batch, models, threads, feeds),
      ratio: compared?.ratio ?? null,
      ratioInterval: compared?.interval ?? null,
      ...(index > 0 && { baselineP50: median(blocks.flatMap((block) => block[0] ?? [])) }),
    };
  });
  return { latencies, between };
}

const same: LatencyRatio = { ratio: 1, interval: [1, 1] };

/** Is it known of every model whether the fastest is faster by more than 2 %, or by how much? */
function isDecided(
  blocks: readonly BlockTimes[],
  models: number,
  seed: number,
  untilPrecise: boolean,
): boolean {
  const medians = Array.from({ length: models }, (_, index) =>
    median(blocks.map((block) => median(block[index] ?? []))),
  );
  const fastest = medians.indexOf(Math.min(...medians));
  return medians.every((_, index) => {
    if (index === fastest) return true;
    const { interval } = ratioOf(blocks, seed, fastest, index);
    return compareRatio(interval) !== "inconclusive" || (untilPrecise && isPrecise(interval));
  });
}

function describe(
  blocks: number,
  units: number,
  batch: number,
  models: number,
  threads: number,
  feeds: Tensors,
): string {
  const shapes = Object.entries(feeds).map(
    ([name, { dims }]) => `${name} ${dims.length ? dims.join("×") : "scalar"}`,
  );
  const runs = batch === 1 ? `${units} runs` : `${units} times ${batch} runs`;
  const interleaved =
    models === 1
      ? "blocks"
      : models === 2
        ? "blocks interleaved with the baseline's"
        : `blocks of ${models} files in turns`;
  const told = `${threads === 1 ? "1 thread" : `${threads} threads`}, ${blocks} ${interleaved}, ${runs} each, ${shapes.join(", ")}`;
  return batch === 1
    ? told
    : `${told}; a run is too short for the clock, so each time is the mean of ${batch}, and there is no p90 or p99`;
}
