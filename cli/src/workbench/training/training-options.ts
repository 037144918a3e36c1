import type { Command } from "commander";
import { integerAtLeast, numberAtLeast } from "../../terminal/option-values.js";
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
