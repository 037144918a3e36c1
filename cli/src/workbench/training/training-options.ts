import type { Command } from "commander";
import { integerAtLeast, numberAtLeast } from "../../terminal/option-values.js";

/** The options of verbs that train, and what they stand for where they are not given. */
export function addTrainingOptions(command: Command): void {
  command
    .option(
      "--metric <name>",
      "of the test: top1, top5, auc, f1, cer, mse, cosine, sqnr, top1-agreement, or the module's own",
    )
    .option("--batch <number>", "samples of one training step", integerAtLeast("--batch", 1), 32)
    .option("--rate <number>", "of learning, at its highest", numberAtLeast("--rate", 0), 0.001)
    .option(
      "--checkpoint <file>",
      "go on from it where it exists; Ctrl-C and each epoch write it (default: beside the output, at Ctrl-C)",
    )
    .option(
      "--threads <number>",
      "of the engine that trains; one gives the same weights each time",
      integerAtLeast("--threads", 1),
      1,
    );
}
