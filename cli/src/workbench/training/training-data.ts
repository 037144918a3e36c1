import { PareError } from "@pare/runtime/format";
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
  { inputs, constants }: OpenedModel,
  teacher: boolean,
  say: WorkOutput,
  signal: AbortSignal,
): Promise<TrainingData> {
  const asked = { inputs, constants, preprocess, seed, purpose: "training" } as const;
  const data = await readSamples(path, asked, say, signal);
  if (data.samples.sequences !== undefined)
    throw new PareError("DATA_MODULE", "Training does not go through sequences.", {
      where: "state",
      hint: "Yield each step as a sample of its own, with the state that it begins with among its feeds, and leave `state` out.",
    });
  const learnedFrom = data.splits.training ?? data.splits.calibration;
  const isLabelled = learnedFrom.some((index) => data.samples.entries[index]?.labelled === true);
  const [first] = learnedFrom;
  const label = isLabelled && first !== undefined ? (await data.samples.info(first)).label : null;
  sayWhatIsLearnedFrom(data, Number.isInteger(Number(label ?? Number.NaN)), say);
  if (teacher && !isLabelled && learnedFrom.length > 0)
    say.note("The samples have no labels: the teacher's answers alone are learned.");
  return { data, learnedFrom };
}

/**
 * The training split; where the data names splits, and none for training, the calibration split.
 * @param areClasses labels are: only of those it is known after each epoch how many are right
 */
function sayWhatIsLearnedFrom(
  { splits, caveat }: OpenData,
  areClasses: boolean,
  say: WorkOutput,
): void {
  const { training, calibration, validation, test, rule } = splits;
  if (caveat !== null) say.note(caveat);
  const which =
    training === undefined
      ? `the calibration split's ${calibration.length} samples, for the data names no training split (export splits.training to give more)`
      : `${training.length} samples`;
  const looks = areClasses ? `looks at ${validation.length} after each epoch, ` : "";
  say.note(`It learns from ${which}, ${looks}and is tested on ${test.length}. ${rule}`);
}
