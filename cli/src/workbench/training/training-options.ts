import type { Command } from "commander";
import {
  collectNames,
  collectPairs,
  integerAtLeast,
  numberAtLeast,
  type Pairs,
  shareOf,
} from "../../terminal/option-values.js";
import { refuse } from "../../terminal/refuse.js";
import { addMetric } from "../data-options.js";

/** What the pass `distill` takes where nothing is said, for those who read help: a command's definition loads no pass. */
export const trainingDefaults = {
  epochs: 8,
  batch: 32,
  rate: 0.001,
  temperature: 4,
  alpha: 0.7,
} as const;

/** The options of verbs that train, and what they stand for where they are not given. */
export function addTrainingOptions(command: Command): void {
  addMetric(command, "of the test: ");
  command
    .option(
      "--batch <number>",
      `samples of one training step (default: ${trainingDefaults.batch})`,
      integerAtLeast("--batch", 1),
    )
    .option(
      "--rate <number>",
      `of learning, at its highest (default: ${trainingDefaults.rate})`,
      numberAtLeast("--rate", 0),
    )
    .option(
      "--labels <loss>",
      "the loss of labels: cross-entropy, binary-cross-entropy, mse, or none (default: by their form)",
    )
    .option("--labels-of <output>", "which output labels are of (default: the one that they fit)")
    .option(
      "--learn <list>",
      "constants that no layer owns and are trained too, as position embeddings, by their names; * stands for any ending",
      collectNames,
    )
    .option(
      "--checkpoint <file>",
      "go on from it where it exists; Ctrl-C and each epoch write it, and it is removed with the model written (default: beside the output, at Ctrl-C)",
    )
    .option(
      "--workers <number>",
      "engines that share each batch, in threads of their own; the same number gives the same weights each time (default: as many as cores, where that pays)",
      integerAtLeast("--workers", 1),
    )
    .option(
      "--recompute",
      "keep few values of a training step and compute the others again: less memory, more time (default: where memory runs out)",
    )
    .option(
      "--threads <number>",
      "of each engine; one gives the same weights each time (default: 1)",
      integerAtLeast("--threads", 1),
    );
}

/** How a teacher's answers are learned. */
export interface TeacherOptions {
  readonly temperature?: number;
  readonly alpha?: number;
  readonly signal?: Pairs;
  readonly meanOver?: string;
}

/** The options of verbs in which a model teaches another one. */
export function addTeacherOptions(command: Command): void {
  command
    .option(
      "--temperature <number>",
      `of scores: above 1 it shows how the teacher tells wrong classes apart (default: ${trainingDefaults.temperature})`,
      numberAtLeast("--temperature", 0.1),
    )
    .option(
      "--alpha <number>",
      `the teacher's share of the loss, 0 to 1; the rest is the labels' (default: ${trainingDefaults.alpha})`,
      shareOf("--alpha", { least: 0 }),
    )
    .option(
      "--signal <list>",
      "what is to become as the teacher's, and how: --signal output_0=cosine; or mse, divergence, binary-cross-entropy (default: the outputs, in their parts)",
      collectPairs("--signal"),
    )
    .option(
      "--mean-over <mask>",
      "of signals, the mean over the places where this input is not 0, as attention_mask is: what is learned then is the vectors of sentences",
    );
}

/** As the pass `distill` takes them. */
export function signalsOf({
  signal = [],
  meanOver,
}: TeacherOptions): readonly Readonly<Record<string, unknown>>[] {
  return signal.map(([value, loss]) => ({
    value,
    loss,
    ...(meanOver !== undefined && { mask: meanOver, mean: true }),
  }));
}

/** @throws PareError ARGUMENT */
export function checkTeacherOptions({ signal, meanOver }: TeacherOptions): void {
  if (meanOver !== undefined && signal === undefined)
    refuse(
      "--mean-over is of signals.",
      "--mean-over",
      "Say of which value, with --signal output_0=cosine or another.",
    );
}
