import { boolean, formerly, oneOf } from "../../pipeline/kinds.js";
import { option } from "../../pipeline/options.js";
import { keepFloatKind, nothingKept } from "./keep-float.js";

/** What a range is taken from. */
const rangeMethod = oneOf(["minmax", "mse"]);

export const granularity = option(
  oneOf(["channel", "tensor"]),
  "channel",
  "What shares a scale: an output channel of the weights, or all of them.",
);

export const reduceRange = option(
  boolean,
  true,
  "One bit less, which x64 processors without VNNI never saturate; without it weights are finer.",
);

export function weightBits(fallback: 8 | 4) {
  return option(
    oneOf([8, 4]),
    fallback,
    "Of a weight. Four are stored as such and become eight when an engine loads the model; they never saturate.",
  );
}

/** `weightBits` said it before: 7 of the 8 bits. */
export const formerWeightBits = {
  weightBits: {
    now: ["reduceRange"],
    kind: formerly(oneOf([7, 8]), (bits) => ({ reduceRange: bits === 7 })),
  },
};

export function weightRanges(fallback: "minmax" | "mse") {
  return option(
    rangeMethod,
    fallback,
    "Of weights: all that there is, or what loses least in the mean square.",
  );
}

export const keepFloat = option(
  keepFloatKind,
  nothingKept,
  "Nodes by name and operators by type that stay float.",
);
