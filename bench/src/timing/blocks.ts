import { seeded, shuffle } from "../statistics/random.js";

/**
 * How one model's runs are timed. A unit is `batch` runs in a row, long enough to be a hundred ticks of the clock;
 * a block holds `units` of each model, the models in random order.
 */
export interface TimingPlan {
  /** Per model. */
  readonly batch: readonly number[];
  readonly units: readonly number[];
  /** Whether a run goes unseen before those that are timed: the other model has just emptied the caches. */
  readonly unseen: readonly boolean[];
  readonly tickMs: number;
  /** What a block of all models should take. */
  readonly expectedMs: number;
  readonly seed: number;
}

/** Milliseconds per run, one figure per unit, per model in the order of the request. */
export type BlockTimes = readonly (readonly number[])[];

export interface Clock {
  now(): number;
}

/** One run of a model on the `turn`-th sample. */
export type Runner = (turn: number) => Promise<unknown>;

const ticksPerUnit = 100;
/** A run of so many steps of the clock is known to a tenth. */
const ticksThatTell = 10;
const mostPerUnit = 10_000;
const blockMs = 20;
const unitsPerBlock = 25;
/** Assumed: of a run that takes longer, filling the caches is little. One unseen would cost as much again. */
const longMs = 100;

/** The smallest step that the clock shows: 5 µs to 100 µs in browsers, well under 1 µs in Node. */
export function clockTick(clock: Clock): number {
  let smallest = Infinity;
  for (let trial = 0; trial < 20; trial++) {
    const start = clock.now();
    let end = start;
    for (let spin = 0; end === start && spin < 1e6; spin++) end = clock.now();
    if (end > start) smallest = Math.min(smallest, end - start);
  }
  return Number.isFinite(smallest) ? smallest : 0.1;
}

/**
 * Runs until the time of a run no longer falls, and says what that time is. WebAssembly is recompiled while it runs
 * (a MobileNet in Node: 110 ms over its first ten runs, 10 ms over sixty), so a fixed count will not do.
 */
export async function warmUp(
  run: Runner,
  clock: Clock,
  maxMs: number,
  tickMs: number,
): Promise<number> {
  const started = clock.now();
  const window = 5;
  const times: number[] = [];
  let previous = Infinity;
  for (let turn = 0; ; turn++) {
    const before = clock.now();
    await run(turn);
    times.push(clock.now() - before);
    const spent = clock.now() - started;
    if (times.length % window === 0) {
      const settled = Math.min(...times.slice(-window));
      if (spent > blockMs && settled >= previous * 0.95) break;
      previous = settled;
    }
    if (spent > maxMs) break;
  }
  const settled = Math.min(...times.slice(-window));
  return settled < tickMs * ticksThatTell ? meanOfMany(run, clock, tickMs) : settled;
}

/** Of one run that is shorter than a step of the clock, it shows none or one: of so many it shows how long they take. */
async function meanOfMany(run: Runner, clock: Clock, tickMs: number): Promise<number> {
  for (let count = ticksPerUnit; ; count *= 4) {
    const before = clock.now();
    for (let turn = 0; turn < count; turn++) await run(turn);
    const ms = clock.now() - before;
    if (ms >= ticksPerUnit * tickMs || count > mostPerUnit) return ms / count;
  }
}

export function planFor(runMs: readonly number[], tickMs: number, seed: number): TimingPlan {
  const batch = runMs.map((ms) =>
    Math.max(
      1,
      Math.ceil((ticksPerUnit * tickMs) / Math.max(ms, (ticksPerUnit * tickMs) / mostPerUnit)),
    ),
  );
  const units = runMs.map((ms, index) =>
    Math.min(
      unitsPerBlock,
      Math.max(1, Math.round(blockMs / (Math.max(ms, 1e-4) * (batch[index] ?? 1)))),
    ),
  );
  const expectedMs = runMs.reduce(
    (sum, ms, index) => sum + ms * (1 + (batch[index] ?? 1) * (units[index] ?? 1)),
    0,
  );
  return { batch, units, unseen: runMs.map((ms) => ms < longMs), tickMs, expectedMs, seed };
}

/** Times `blocks` blocks. Within a block all models see the same samples, in an order drawn from the seed. */
export async function timeBlocks(
  runners: readonly Runner[],
  plan: TimingPlan,
  blocks: number,
  clock: Clock,
): Promise<BlockTimes[]> {
  const random = seeded(plan.seed);
  const measured: BlockTimes[] = [];
  for (let block = 0; block < blocks; block++) {
    const times: number[][] = runners.map(() => []);
    for (const model of shuffle([...runners.keys()], random)) {
      const run = runners[model] as Runner;
      const batch = plan.batch[model] ?? 1;
      if (plan.unseen[model] === true) await run(block);
      for (let unit = 0; unit < (plan.units[model] ?? 1); unit++) {
        const before = clock.now();
        for (let turn = 0; turn < batch; turn++) await run(block + unit + turn);
        times[model]?.push((clock.now() - before) / batch);
      }
    }
    measured.push(times);
  }
  return measured;
}
