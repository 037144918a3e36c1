import type { Command } from "commander";
import { integerAtLeast, numberAtLeast } from "../../terminal/option-values.js";

/** The options of verbs that train, and what they stand for where they are not given. */
export function addTrainingOptions(command: Command): void {
  command
    .option(
      "--metric <name>",
      "of the test: top1, top5, auc, f1, cer, mse, cosine, sqnr, concordance, exact-match, top1-agreement, or the module's own",
    )
    .option("--batch <number>", "samples of one training step", integerAtLeast("--batch", 1), 32)
    .option("--rate <number>", "of learning, at its highest", numberAtLeast("--rate", 0), 0.001)
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
      "of each engine; one gives the same weights each time",
      integerAtLeast("--threads", 1),
      1,
    );
}
