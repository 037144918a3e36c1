import { type Accuracy, PareError, type TargetName } from "@pare/runtime/format";
import type { Scorer } from "../metrics/scorer.js";
import { clopperPearson } from "../statistics/binomial.js";
import { groupedShare } from "../statistics/grouped-share.js";
import { groupUnits, percentileInterval, resamples } from "../statistics/bootstrap.js";
import { resampledDrop, shareDrop, valuesOf } from "./drop-interval.js";

/** What a model said to a list of samples, ready to be scored. */
export interface Scored {
  readonly kept: readonly unknown[];
  readonly ids: readonly string[];
  readonly groups: readonly (string | null)[];
  /** What the metric came to over resamples, by how many samples and resamples: a float model is compared with again. */
  readonly draws: Map<string, Promise<readonly number[]>>;
}

/** Resamples of an interval. Where each takes sorting all answers anew, fewer have to do in the search. */
export const bootstraps = { published: 1000, quick: 200 };
const namedFlips = 200;

/** Is a metric a number over these samples? That of classes is none where only one of them is there. */
export async function tells(scorer: Scorer, { kept }: Scored): Promise<boolean> {
  const [value] = await scorer.reduce(kept, [Uint32Array.from(kept.keys())]);
  return value !== undefined && Number.isFinite(value);
}

interface AccuracyOptions {
  readonly measuredOn: TargetName;
  /** Of the bootstrap. */
  readonly seed: number;
  /** Of the drop's interval. */
  readonly confidence?: number | undefined;
  readonly draws?: number;
}

/**
 * The metric of a model with its interval and, against the float model on the same samples, what it lost and where
 * the two disagree. Intervals are two-sided, 95 % but for the drop's where another confidence is asked for: exact for
 * shares of independent samples, else a bootstrap over groups (images, speakers), paired where two models are compared.
 * The drop has none where groups are too few or too much alike for one.
 * @throws PareError LABELS where the metric is no finite number of the float model, ENGINE where it is none of a candidate
 */
export async function accuracyOf(
  scorer: Scorer,
  candidate: Scored,
  float: Scored | null,
  { measuredOn, seed, confidence = 0.95, draws = bootstraps.published }: AccuracyOptions,
): Promise<Accuracy> {
  const n = candidate.kept.length;
  const units = groupUnits(candidate.groups);
  const exact = scorer.proportion && units.length === n;
  const everything = Uint32Array.from({ length: n }, (_, index) => index);
  const picks = [everything, ...(exact ? [] : resamples(units, draws, seed))];
  const drawnOf = ({ kept, draws: known }: Scored): Promise<readonly number[]> => {
    const key = `${n} ${picks.length}`;
    const drawn = known.get(key) ?? scorer.reduce(kept, picks);
    known.set(key, drawn);
    return drawn;
  };
  const [value = Number.NaN, ...drawn] = await drawnOf(candidate);
  if (n > 0 && !Number.isFinite(value)) throw noNumber(scorer.metric, value, n, float === null);
  const common = { metric: scorer.metric, direction: scorer.direction, value, n, measuredOn };
  const interval = exact
    ? clopperPearson(Math.round(value * n), n)
    : scorer.proportion
      ? groupedShare(await valuesOf(scorer, candidate.kept), units, picks.slice(1))
      : percentileInterval(drawn, 0.95);
  if (!float) return { ...common, interval, drop: null, dropInterval: null, flips: null };

  const [floatValue = Number.NaN, ...floatDrawn] = await drawnOf(float);
  const sign = scorer.direction === "higher" ? 1 : -1;
  const drop = sign * (floatValue - value);
  const drops = drawn.map((each, index) => sign * ((floatDrawn[index] ?? Number.NaN) - each));
  const pair = { candidate: candidate.kept, float: float.kept };
  const dropInterval = exact
    ? await shareDrop(scorer, pair, confidence)
    : await resampledDrop(scorer, pair, [drop, drops], units, confidence);
  return {
    ...common,
    interval,
    drop,
    dropInterval,
    ...(await flipsOf(scorer, candidate, float, units, picks.slice(1))),
  };
}

/** Of the float model, the data is to blame; of a candidate, what became of its outputs. */
function noNumber(metric: string, value: number, n: number, isFloat: boolean): PareError {
  const message = `The metric ${metric} is ${value} over ${n} samples`;
  return isFloat
    ? new PareError("LABELS", `${message}.`, {
        where: metric,
        hint: "Look for NaN in the data and in what the model answers to it (pare run shows that), and for a class that has no sample (auc needs both); a metric of your own has to return a number.",
      })
    : new PareError("ENGINE", `${message}, but a number for the float model.`, { where: metric });
}

async function flipsOf(
  scorer: Scorer,
  candidate: Scored,
  float: Scored,
  units: readonly (readonly number[])[],
  picks: readonly ArrayLike<number>[],
): Promise<Pick<Accuracy, "flips" | "noFlips">> {
  const flips = await scorer.flips(candidate.kept, float.kept);
  if ("none" in flips) return { flips: null, noFlips: flips.none };
  const n = candidate.kept.length;
  const samples = flips
    .slice(0, namedFlips)
    .map(({ position }) => candidate.ids[position] ?? String(position));
  const each = Array.from({ length: n }, () => 0);
  for (const { position } of flips) each[position] = 1;
  const interval =
    units.length === n ? clopperPearson(flips.length, n) : groupedShare(each, units, picks);
  return { flips: { count: flips.length, n, interval, samples } };
}
