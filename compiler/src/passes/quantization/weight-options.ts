import { listOf, oneOf, text } from "../../pipeline/kinds.js";
import { option } from "../../pipeline/options.js";

/** What a range is taken from. */
export const rangeMethod = oneOf(["minmax", "mse"]);

export const granularity = option(
  oneOf(["channel", "tensor"]),
  "channel",
  "What shares a scale: an output channel of the weights, or all of them.",
);

export const weightBits = option(
  oneOf([7, 8]),
  7,
  "7 never saturates on x64 processors without VNNI; 8 is finer.",
);

export function weightRanges(fallback: "minmax" | "mse") {
  return option(
    rangeMethod,
    fallback,
    "Of weights: all that there is, or what loses least in the mean square.",
  );
}

export const keepFloat = option(
  listOf(text),
  [],
  "Nodes by name, or operators by type, that stay float.",
);
