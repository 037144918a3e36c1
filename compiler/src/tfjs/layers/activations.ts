import { attribute, type ValueId } from "../../ir/index.js";
import { activate } from "../activate.js";
import type { OnnxWriter } from "../onnx-writer.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";

type Activation = (at: OnnxWriter, value: ValueId) => ValueId;

const named =
  (name: string): Activation =>
  (at, value) =>
    activate(at, name, value);

const operator =
  (op: string): Activation =>
  (at, value) =>
    at.add(op, [value]);

const alongLast =
  (op: "Softmax" | "LogSoftmax"): Activation =>
  (at, value) =>
    at.add(op, [value], { axis: attribute.int(-1) });

const swish: Activation = (at, value) => at.add("Mul", [value, at.add("Sigmoid", [value])]);

/** By their words in Keras, each as tfjs-layers/src/activations.ts has it. */
const activations: ReadonlyMap<string, Activation> = new Map(
  Object.entries({
    elu: named("Elu"),
    gelu: operator("Gelu"),
    gelu_new: (at, value) => at.add("Gelu", [value], { approximate: attribute.string("tanh") }),
    hard_sigmoid: (at, value) =>
      at.add("HardSigmoid", [value], { alpha: attribute.float(0.2), beta: attribute.float(0.5) }),
    linear: (_, value) => value,
    log_softmax: alongLast("LogSoftmax"),
    mish: operator("Mish"),
    relu: named("Relu"),
    relu6: named("Relu6"),
    selu: named("Selu"),
    sigmoid: named("Sigmoid"),
    silu: swish,
    softmax: alongLast("Softmax"),
    softplus: operator("Softplus"),
    softsign: operator("Softsign"),
    swish,
    tanh: named("Tanh"),
  } satisfies Record<string, Activation>),
);

/** What the layer's own activation makes of a value. */
export function activated(at: LayerTranslation, value: ValueId): ValueId {
  const word = at.config.activation("activation", "linear");
  const apply = activations.get(word);
  return apply === undefined
    ? at.refuse(`the activation ${JSON.stringify(word)} is not known`)
    : apply(at, value);
}

/** Below a threshold a slope leads to it; above, the value itself up to a most. */
const rectified: TranslateLayer = (at) => {
  const [value, { config }] = [at.input, at];
  const [slope, threshold] = [config.number("negative_slope", 0), config.number("threshold", 0)];
  const most = config.number("max_value");
  const bend = at.numberLike(value, threshold);
  const below =
    slope === 0
      ? at.numberLike(value, 0)
      : at.add("Mul", [at.add("Sub", [value, bend]), at.numberLike(value, slope)]);
  const made =
    threshold !== 0
      ? at.add("Where", [at.add("GreaterOrEqual", [value, bend]), value, below])
      : slope !== 0
        ? at.add("LeakyRelu", [value], { alpha: attribute.float(slope) })
        : activate(at, "Relu", value);
  return most === undefined ? made : at.add("Min", [made, at.numberLike(made, most)]);
};

/** Along one axis or several together. */
const softmax: TranslateLayer = (at) => {
  const [value, axes] = [at.input, at.config.integers("axis") ?? [-1]];
  if (at.masks.isSomewhere(value)) return at.refuse("some of what it reads is masked");
  const [only = -1] = axes;
  if (axes.length === 1) return at.add("Softmax", [value], { axis: attribute.int(only) });
  return at.add("Exp", [
    at.add("Sub", [value, at.add("ReduceLogSumExp", [value, at.integers(axes)])]),
  ]);
};

export const activationLayers: Readonly<Record<string, TranslateLayer>> = {
  Activation: (at) => activated(at, at.input),
  ELU: (at) => at.add("Elu", [at.input], { alpha: attribute.float(at.config.number("alpha", 1)) }),
  LeakyReLU: (at) => {
    const alpha = at.config.number("alpha") ?? at.config.number("negative_slope", 0.3);
    return at.add("LeakyRelu", [at.input], { alpha: attribute.float(alpha) });
  },
  PReLU: (at) => at.add("PRelu", [at.input, at.weight("alpha")]),
  ReLU: rectified,
  Softmax: softmax,
  ThresholdedReLU: (at) =>
    at.add("ThresholdedRelu", [at.input], {
      alpha: attribute.float(at.config.number("theta", 1)),
    }),
};
