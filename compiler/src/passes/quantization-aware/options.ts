import { boolean, integer, numberFrom } from "../../pipeline/kinds.js";
import { option, type OptionsOf } from "../../pipeline/options.js";
import { learning } from "../distillation/options.js";
import { places, ranges } from "../quantization/qdq/static-options.js";
import {
  granularity,
  keepFloat,
  reduceRange,
  weightBits,
  weightRanges,
} from "../quantization/weight-options.js";

export const described = {
  bits: weightBits(4),
  granularity,
  ranges,
  weightRanges: weightRanges("mse"),
  reduceRange,
  ...places,
  keepFloat,
  learnScales: option(
    boolean,
    true,
    "Scales of weights and activations are learned too; otherwise they stay what they are at the start.",
  ),
  ...learning,
  epochs: option(integer(1), 4, "How often all samples are gone through."),
  rate: option(
    numberFrom(0),
    0.001,
    "The highest of the schedule; scales change by this share of themselves.",
  ),
};

export type AwareOptions = OptionsOf<typeof described>;
