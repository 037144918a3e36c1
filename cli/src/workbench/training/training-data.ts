import type { OpenData } from "../../data/open-data.js";
import type { WorkOutput } from "../../terminal/output.js";
import type { OpenedModel } from "../opened-model.js";
import { readSamples } from "../read-samples.js";

/** Samples to train on, and others to look at and to test on. */
export interface TrainingData {
  readonly data: OpenData;
  /** Into the samples. */
  readonly learnedFrom: readonly number[];
}

export interface TrainingDataOptions {
  readonly preprocess?: string;
  readonly seed: number;
}

/** Opens data, and says which of its samples are learned from. */
export async function openTrainingData(
  path: string,
  { preprocess, seed }: TrainingDataOptions,
  { inputs }: OpenedModel,
  teacher: boolean,
  say: WorkOutput,
  signal: AbortSignal,
): Promise<TrainingData> {
  const asked = { inputs, preprocess, seed, purpose: "training" } as const;
  const data = await readSamples(path, asked, say, signal);
  const learnedFrom = sayWhatIsLearnedFrom(data, say);
  const isLabelled = learnedFrom.some((index) => data.samples.entries[index]?.labelled === true);
  if (teacher && !isLabelled)
    say.note("The samples have no labels: the teacher's answers alone are learned.");
  return { data, learnedFrom };
}

/** The training split; where the data names splits, and none for training, the calibration split. */
function sayWhatIsLearnedFrom({ splits, caveat }: OpenData, say: WorkOutput): readonly number[] {
  const { training, calibration, validation, test, rule } = splits;
  if (caveat !== null) say.note(caveat);
  const learned = training ?? calibration;
  const which =
    training === undefined
      ? `the calibration split's ${learned.length} samples, for the data names no training split (export splits.training to give more)`
      : `${learned.length} samples`;
  say.note(
    `It learns from ${which}, looks at ${validation.length} after each epoch, and is tested on ${test.length}. ${rule}`,
  );
  return learned;
}
