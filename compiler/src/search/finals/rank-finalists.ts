import type { LatencyComparison, LatencyRequest } from "@pare/runtime/format";
import type { Tried } from "../candidate.js";
import { finalLimits } from "../plan/costs.js";
import type { FinalsContext } from "./finals-context.js";
import { measurementOf } from "../record/record.js";
import { isRefusal } from "../refusal.js";
import {
  asContender,
  contendersOf,
  overLimitsOf,
  relativeTo,
  withinLimits,
} from "../trial/target-state.js";
import { dropText, choose, gainText, orderOf, type Relative, tieBand } from "../verdict/verdict.js";
import { runsAs } from "../trial/what-runs.js";

/** More than so many are not timed against each other: the others are clearly slower. */
const mostFinalists = 4;
/** Within so much of the best median a candidate may still turn out to be the best. */
const closeBand = 0.03;

/** Accepted candidates, best first, and what was seen when they were timed against each other. */
export interface Ranking {
  readonly ranked: readonly Tried[];
  /** Why each is not better than the first. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** Times the finalists against each other and orders all that is accepted by the rule of choice. */
export async function rankFinalists(context: FinalsContext): Promise<Ranking> {
  const { request, state } = context;
  const { prefer } = request.budget;
  const all = contendersOf(state);
  const over = (one: Tried): string | null => overLimitsOf(state, request.budget, one);
  const contenders = withinLimits(state, request.budget, all);
  const { all: timed, between } =
    prefer === "latency"
      ? await timeFinalists(context, contenders)
      : { all: contenders, between: relativeTo };
  const order = choose(
    timed.map(asContender),
    (a, b) => {
      const [one, other] = [timed[a], timed[b]];
      return one === undefined || other === undefined ? null : between(one, other);
    },
    prefer,
  );
  const ranked = order.flatMap((index) => timed[index] ?? []);
  const [best] = ranked;
  const reasons = new Map(
    best === undefined
      ? []
      : ranked.map((one) => [one.name, reasonFor(one, best, between(best, one))] as const),
  );
  for (const one of all.filter((other) => !contenders.includes(other)))
    context.record.turnDown(
      state.device.target,
      { ...one, expected: null },
      "decided",
      over(one) ?? "",
      measurementOf(state, one),
    );
  return { ranked, reasons };
}

/** Accepted candidates, and how the times of two of them compare. */
interface Field {
  readonly all: readonly Tried[];
  /** The second's time over the first's. */
  readonly between: (a: Tried, b: Tried) => Relative | null;
}

/**
 * Those that may win, in the same blocks; the others keep the times of the search. What an earlier run saw of the same
 * finalists stands: it gave them as much time as this one would.
 */
async function timeFinalists(context: FinalsContext, all: readonly Tried[]): Promise<Field> {
  const { request, state, limitMs, say } = context;
  const field: Field = { all, between: relativeTo };
  const finalists = stillOpen(all);
  if (finalists.length < 2) return field;
  const asked: LatencyRequest = {
    artifacts: [state.reference, ...finalists.map(({ artifact }) => artifact)],
    target: state.device.target,
    limits: finalLimits(state.facts.runMs),
    seed: 2,
    signal: request.signal,
    limitMs,
  };
  const before = await request.measure.earlierLatency(asked);
  if (before !== null) return timedTogether(field, finalists, before);
  say(`finalists against each other: ${finalists.map(({ name }) => name).join(", ")}`);
  try {
    return timedTogether(field, finalists, await request.measure.latency(asked));
  } catch (error) {
    // Together they are too much for it; each was timed in the search.
    if (!isRefusal(error)) throw error;
    return field;
  }
}

/** Who may still win: not surely slower than the fastest, and no smaller one is as fast, or runs the same. */
function stillOpen(all: readonly Tried[]): readonly Tried[] {
  const isStoredSmaller = (one: Tried): boolean =>
    all.some(
      (other) => other.size.brotli < one.size.brotli && runsAs(one, other, relativeTo(one, other)),
    );
  const timed = all.filter((one) => one.latency !== null && !isStoredSmaller(one));
  const fastest = timed.reduce<Tried | null>(
    (best, one) => (best === null || ratio(best, one) < 1 ? one : best),
    null,
  );
  if (fastest === null) return [];
  const isBeaten = (one: Tried): boolean =>
    timed.some(
      (other) =>
        other.size.brotli <= one.size.brotli * (1 - tieBand) &&
        low(other, one) >= 1 / (1 + tieBand),
    );
  return timed
    .filter((one) => low(fastest, one) <= 1 + closeBand && !isBeaten(one))
    .sort((a, b) => ratio(fastest, a) - ratio(fastest, b))
    .slice(0, mostFinalists);
}

function ratio(a: Tried, b: Tried): number {
  return relativeTo(a, b)?.ratio ?? 1;
}

function low(a: Tried, b: Tried): number {
  return relativeTo(a, b)?.interval[0] ?? 1;
}

/** With what was seen when some of them, after the reference, were timed in the same blocks. */
function timedTogether(
  { all, between }: Field,
  some: readonly Tried[],
  { between: seen }: LatencyComparison,
): Field {
  const place = new Map<Tried, number>();
  const now = all.map((one): Tried => {
    const index = some.indexOf(one);
    const latency = index < 0 ? undefined : seen[0]?.[index + 1];
    const tried = latency === undefined ? one : { ...one, latency };
    if (index >= 0) place.set(tried, index + 1);
    return tried;
  });
  return {
    all: now,
    between(a, b) {
      const [from, to] = [place.get(a), place.get(b)];
      return (from && to && seen[from]?.[to]) || between(a, b);
    },
  };
}

function reasonFor(one: Tried, best: Tried, compared: Relative | null): string {
  const size = one.size.brotli / best.size.brotli;
  const lost = one.accuracy === null ? "" : `; ${dropText(one.accuracy)}`;
  const text = `next to ${best.name}: ${gainText(compared, size)}${lost}`;
  if (compared === null) return size > 1 ? `larger ${text}` : `no better ${text}`;
  if (runsAs(one, best, compared)) return `runs the same and is larger ${text}`;
  const order = orderOf(compared);
  if (order === "slower") return `slower ${text}`;
  if (order === "faster" && size > 1) return `larger, and was not known to be faster, ${text}`;
  if (compared.ratio > 1.02 && order !== "tie") return `slower, not surely, ${text}`;
  return size < 1 ? `slower than the fastest, and ${text}` : `as fast and larger ${text}`;
}
