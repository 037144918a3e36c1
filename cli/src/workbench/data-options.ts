import type { Command } from "commander";

/** What `--data` may name. */
const dataFormats =
  "a folder of images or WAV files, .npz, .npy, .safetensors, .jsonl, or an ES module";

/** @param use what samples are for; nothing is said where it is not given */
export function addData(command: Command, use?: string): void {
  command.option("--data <path>", use === undefined ? dataFormats : `${use}: ${dataFormats}`);
}

export function addPreprocess(command: Command): void {
  command.option(
    "--preprocess <preset or file>",
    "for images: imagenet, 0..1, -1..1, yolo, or a preprocessor_config.json",
  );
}

/** @param of what is measured with it; nothing is said where it is not given */
export function addMetric(command: Command, of = ""): void {
  command.option(
    "--metric <name>",
    `${of}top1, top5, auc, f1, labels-right, mean-iou, cer, mse, cosine, sqnr, concordance, exact-match, top1-agreement, or the module's own`,
  );
}
