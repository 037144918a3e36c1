import { PareError, type SampleInfo, type Tensors } from "@pare/runtime/format";
import { type Answer, quantityAnswer, unknownAnswer } from "./answers.js";
import { auc, bestThreshold } from "./auc.js";
import { type Metric, meanOfFirst, type Row } from "./metric.js";
import { metricNamed } from "./metrics.js";
import { ofOneSize } from "./readings.js";

/** A sample on which candidate and float model disagree; `size` orders them, worst first. */
export interface Flip {
  readonly position: number;
  readonly size: number;
}

/** Why nothing can be said to have flipped. */
export interface NoFlips {
  readonly none: string;
}

const ofQuantities: NoFlips = {
  none: "No flips are counted: predictions are measured quantities, boxes or maps of classes, which differ a little on every sample.",
};
const ofScores: NoFlips = {
  none: "No flips are counted: score() gives a figure for each sample, and no answer that could be another.",
};

/**
 * Turns outputs into a metric. `Kept` is what remains of a sample's outputs: small, for it is held for all samples.
 * Parts of it may run elsewhere (a data module's hooks have a process of their own), so all of it is asynchronous.
 */
export interface Scorer<Kept = unknown> {
  readonly metric: string;
  readonly direction: "higher" | "lower";
  readonly evidence: "labelled" | "unlabelled";
  /** Whether `keep` reads the float model's outputs. */
  readonly needsFloat: boolean;
  /** The metric is the share of right samples among all: exact intervals apply. */
  readonly proportion: boolean;
  /** The metric is a mean over samples, so that the drop on some of them says something of the drop on all. */
  readonly mean: boolean;
  /** @param float the float model's outputs on the same sample, where `needsFloat`; for the float model, its own */
  keep(outputs: Tensors, sample: SampleInfo, float: Tensors | null): Promise<Kept>;
  /** The metric over each list of positions in `kept`. */
  reduce(kept: readonly Kept[], picks: readonly ArrayLike<number>[]): Promise<number[]>;
  /** Where two models disagree, worst first; or why predictions have no notion of it. */
  flips(candidate: readonly Kept[], float: readonly Kept[]): Promise<readonly Flip[] | NoFlips>;
  /** A prediction in a few words, for showing disagreements. */
  show(kept: Kept): string;
}

/** What a data module exports to score with, forwarded from its process. */
export interface ScoringHooks {
  readonly predict?: (outputs: Tensors, sample: SampleInfo) => Promise<unknown>;
  readonly metric?: {
    readonly name: string;
    readonly direction: "higher" | "lower";
    reduce(
      predictions: readonly unknown[],
      labels: readonly unknown[],
      picks: readonly ArrayLike<number>[],
    ): Promise<number[]>;
  };
  readonly score?: (
    outputs: Tensors,
    sample: SampleInfo,
    float: Tensors,
  ) => Promise<number | Readonly<Record<string, number>>>;
}

/** A sample after a metric has read it: a built-in one keeps its row, the user's own what it is to be given. */
interface Read {
  readonly answer: Answer;
  readonly row: Row;
  readonly prediction?: unknown;
  readonly label?: unknown;
}

export type Reads = (outputs: Tensors, float: Tensors) => Tensors;

/**
 * A scorer of a built-in metric, or of what a data module exports.
 * @param name a built-in metric's, the user's metric's, or the key of `score`'s result that counts
 * @param labelled whether the samples have labels
 * @param reads the outputs as a built-in metric is to see them, beside the float model's: one of several (`onlyOutput`), in
 * parts (`inParts`), or with their rows in the same order (`alignedRows`)
 */
export function createScorer(
  name: string,
  labelled: boolean,
  hooks: ScoringHooks = {},
  reads: Reads = (outputs) => outputs,
): Scorer<Read> {
  if (hooks.score) return scoreHook(name, labelled, hooks.score);
  if (hooks.metric && hooks.metric.name === name) return ownMetric(hooks.metric, hooks.predict);
  return builtin(metricNamed(name), labelled, hooks.predict, reads);
}

function builtin(
  metric: Metric,
  labelled: boolean,
  predict: ScoringHooks["predict"],
  reads: Reads,
): Scorer<Read> {
  const read = async (outputs: Tensors, float: Tensors, sample: SampleInfo): Promise<unknown> =>
    predict ? predict(outputs, sample) : metric.read(reads(outputs, float));
  return {
    metric: metric.name,
    direction: metric.direction,
    evidence: labelled && metric.against !== "float" ? "labelled" : "unlabelled",
    needsFloat: metric.against !== "labels",
    proportion: metric.proportion,
    mean: metric.reduce === meanOfFirst,
    async keep(outputs, sample, float) {
      const reference = float ?? outputs;
      const prediction = await read(outputs, reference, sample);
      const byLabel = metric.against === "labels" || (metric.against === "either" && labelled);
      const [got, truth] = byLabel
        ? [prediction, sample.label]
        : ofOneSize(prediction, await read(reference, reference, sample));
      try {
        const row = metric.row(got, truth, `Sample "${sample.id}"`);
        return { answer: metric.answer(prediction), row };
      } catch (error) {
        throw prediction === null || prediction === undefined
          ? nothingPredicted(sample.id, error)
          : error;
      }
    },
    async reduce(kept, picks) {
      const all = kept.map(({ row }) => row);
      return picks.map((positions) =>
        metric.reduce(
          Array.from(positions, (position) => all[position] ?? []),
          all,
        ),
      );
    },
    async flips(candidate, float) {
      if (metric.flip === "none") return ofQuantities;
      return metric.flip === "threshold"
        ? thresholdFlips(candidate, float)
        : changedAnswers(candidate, float);
    },
    show: ({ answer }) => answer.shown,
  };
}

/** No fault of the label's: a candidate may be one that `predict` makes nothing of. */
function nothingPredicted(id: string, cause: unknown): PareError {
  return new PareError("DATA_MODULE", `predict() returned nothing for sample "${id}".`, {
    where: "predict(outputs, sample)",
    hint: "Return a class, scores per class, a text or numbers, also where a model is sure of none.",
    cause,
  });
}

/** All where it has none of this name. */
export function onlyOutput(outputs: Tensors, name: string | undefined): Tensors {
  const output = name === undefined ? undefined : outputs[name];
  return name === undefined || output === undefined ? outputs : { [name]: output };
}

function ownMetric(
  metric: NonNullable<ScoringHooks["metric"]>,
  predict: ScoringHooks["predict"],
): Scorer<Read> {
  return {
    metric: metric.name,
    direction: metric.direction,
    evidence: "labelled",
    needsFloat: false,
    proportion: false,
    mean: false,
    async keep(outputs, sample) {
      const prediction = predict ? await predict(outputs, sample) : outputs;
      const { label } = sample;
      return { answer: unknownAnswer(prediction, label), row: [], prediction, label };
    },
    reduce: (kept, picks) =>
      metric.reduce(
        kept.map((each) => each.prediction),
        kept.map((each) => each.label),
        picks,
      ),
    flips: async (candidate, float) => changedAnswers(candidate, float),
    show: ({ answer }) => answer.shown,
  };
}

function scoreHook(
  name: string,
  labelled: boolean,
  score: NonNullable<ScoringHooks["score"]>,
): Scorer<Read> {
  return {
    metric: name,
    direction: "higher",
    evidence: labelled ? "labelled" : "unlabelled",
    needsFloat: true,
    proportion: false,
    mean: true,
    async keep(outputs, sample, float) {
      const result = await score(outputs, sample, float ?? outputs);
      // Whatever a stranger's module returns.
      const named: unknown = typeof result === "object" && result !== null ? result[name] : result;
      const value = typeof result === "number" ? result : named;
      if (typeof value !== "number") {
        throw new PareError(
          "LABELS",
          `score() returned no number "${name}" for sample "${sample.id}".`,
          {
            where: `score(outputs, sample, float)`,
            hint:
              typeof result === "object" && result !== null
                ? `It returned ${Object.keys(result).join(", ")}: name one with --metric.`
                : "Return a number, or an object of numbers.",
          },
        );
      }
      return { answer: quantityAnswer(value), row: [value] };
    },
    reduce: async (kept, picks) =>
      picks.map((positions) => {
        let sum = 0;
        for (let index = 0; index < positions.length; index++)
          sum += kept[positions[index] as number]?.row[0] ?? Number.NaN;
        return sum / positions.length;
      }),
    flips: async () => ofScores,
    show: ({ answer }) => answer.shown,
  };
}

function changedAnswers(candidate: readonly Read[], float: readonly Read[]): Flip[] | NoFlips {
  const flips: Flip[] = [];
  for (const [position, { answer, row }] of candidate.entries()) {
    const before = float[position];
    const [a, b] = [answer.key, before?.answer.key ?? null];
    if (a === null || b === null) return ofQuantities;
    // A right answer lost comes before a wrong one changed.
    if (a !== b) flips.push({ position, size: Math.abs((before?.row[0] ?? 0) - (row[0] ?? 0)) });
  }
  return flips.sort((a, b) => b.size - a.size || a.position - b.position);
}

/** Scores flip where they cross the threshold at which the float model tells the classes apart best. */
function thresholdFlips(candidate: readonly Read[], float: readonly Read[]): Flip[] | NoFlips {
  const scores = float.map(({ row }) => row[0] ?? 0);
  const labels = float.map(({ row }) => row[1] ?? 0);
  if (Number.isNaN(auc(scores, labels)))
    return { none: "No flips are counted: there is one class only, and no threshold between two." };
  const threshold = bestThreshold(scores, labels);
  const flips = candidate.flatMap(({ row }, position) => {
    const [now, before] = [row[0] ?? 0, scores[position] ?? 0];
    return now >= threshold === before >= threshold
      ? []
      : [{ position, size: Math.abs(now - before) }];
  });
  return flips.sort((a, b) => b.size - a.size);
}
