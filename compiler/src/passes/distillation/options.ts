import { boolean, integer, listOf, numberFrom, oneOf, text } from "../../pipeline/kinds.js";
import { fields, option, optional, type OptionsOf } from "../../pipeline/options.js";
import { labelLosses, signalLosses } from "../../train/objectives.js";

const signal = fields({
  value: option(text, "", "An output of the student, or any value in it, by name."),
  teacher: optional(text, "The teacher's counterpart, where it is called otherwise."),
  loss: option(
    oneOf(signalLosses),
    "mse",
    "Divergence of scores with the temperature, the mean square, the angle, or binary cross-entropy.",
  ),
  weight: option(numberFrom(0), 1, "Among the signals."),
  mask: optional(
    text,
    "An input, [samples, places], that is 0 where the value, [samples, places, width], does not count: what fills sentences up to one length.",
  ),
  mean: option(
    boolean,
    false,
    "Its mean over the places that count is learned: the vector of a sentence.",
  ),
});

/** How anything is taught. */
export const learning = {
  epochs: option(integer(1), 8, "How often all samples are gone through."),
  batch: option(integer(1), 32, "Samples of one step."),
  rate: option(numberFrom(0), 0.001, "The highest of the schedule."),
  optimizer: option(oneOf(["adamw", "sgd"]), "adamw", "Which rule makes weights of gradients."),
  momentum: option(numberFrom(0, 1), 0.9, "Of sgd."),
  nesterov: option(boolean, true, "Of sgd: it looks ahead by a step of its momentum."),
  weightDecay: option(numberFrom(0), 0.01, "Of weights; biases and norms do not decay."),
  schedule: option(
    oneOf(["cosine", "constant", "one-cycle"]),
    "cosine",
    "How the rate goes over the training.",
  ),
  warmUp: option(numberFrom(0, 0.99), 0, "Share of the training in which the rate rises."),
  clip: option(numberFrom(0), 5, "Norm that all gradients together do not exceed; 0: they may."),
  average: option(
    numberFrom(0, 0.9999),
    0,
    "Decay of a moving average of weights, which is kept then; 0: the last weights are.",
  ),
  temperature: option(numberFrom(0.1), 4, "Of scores, the teacher's and the student's."),
  alpha: option(numberFrom(0, 1), 0.7, "The teacher's share of the loss; the rest is the labels'."),
  labels: option(oneOf(labelLosses), "auto", "The loss of labels; auto goes by their form."),
  labelsOf: optional(
    text,
    "The output that labels are of, by name; where not given, the one that they fit.",
  ),
  freeze: option(
    listOf(text),
    [],
    "Weights and running statistics that stay, by their names or those of their nodes; * stands for any ending.",
  ),
  learn: option(
    listOf(text),
    [],
    "What no layer owns and is to be trained too, as position embeddings and class tokens, by the names of its constants; * stands for any ending.",
  ),
  norms: option(
    oneOf(["batch", "frozen"]),
    "batch",
    "Batch norms go by the batch and count its statistics, or keep those that they have.",
  ),
  dropout: option(
    oneOf(["apply", "skip"]),
    "apply",
    "Dropouts of the model drop as its ratios say while it learns, or nothing.",
  ),
  recompute: option(
    boolean,
    false,
    "Of a step few values are kept and the others computed again: less memory, more time. Where the engine runs out of memory it is done anyway.",
  ),
  keepZeros: option(
    boolean,
    false,
    "Weights that are 0 stay 0: what was made sparse stays sparse.",
  ),
  workers: optional(
    integer(1),
    "Engines that compute shares of a batch at the same time; where not given a recipe takes one, with which a lock makes the same bytes everywhere, and a verb as many as pay.",
  ),
};

export const described = {
  ...learning,
  signals: option(
    listOf(signal),
    [],
    "What is to become as the teacher's; none: the outputs in their parts, scores by divergence or binary cross-entropy, others by mse.",
  ),
};

export type DistillOptions = OptionsOf<typeof described>;
