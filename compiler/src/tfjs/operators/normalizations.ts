import { attribute } from "../../ir/index.js";
import type { Translate } from "../translation.js";
import { withChannelsSecond } from "../windows.js";

/** Of what is seen in training nothing is made: scale, offset, mean and variance are given. */
const batchNorm: Translate = (at) => {
  const { attributes } = at;
  if (attributes.flag("is_training")) return at.refuse("it is as it was in training");
  const isChannelsLast = !(attributes.text("data_format") ?? "NHWC").startsWith("NC");
  const rank = at.rank(at.input(0));
  const statistics = at.inputs.slice(1, 5);
  return withChannelsSecond(at, at.input(0), isChannelsLast, rank - 2, (value) =>
    at.add("BatchNormalization", [value, ...statistics], {
      epsilon: attribute.float(attributes.number("epsilon", 1e-4)),
    }),
  );
};

/** Sums go over the radius to either side, and ONNX divides its factor by how many those are. */
const localResponse: Translate = (at) => {
  const { attributes } = at;
  const size = 2 * attributes.number("depth_radius", 5) + 1;
  return withChannelsSecond(at, at.input(0), true, 2, (value) =>
    at.add("LRN", [value], {
      size: attribute.int(size),
      alpha: attribute.float(attributes.number("alpha", 1) * size),
      beta: attribute.float(attributes.number("beta", 0.5)),
      bias: attribute.float(attributes.number("bias", 1)),
    }),
  );
};

/** Along the last axis, whatever the node says. */
const alongLast =
  (op: "Softmax" | "LogSoftmax"): Translate =>
  (at) =>
    at.add(op, [at.input(0)], { axis: attribute.int(-1) });

const bias: Translate = (at) => {
  const value = at.input(0);
  const isChannelsLast = !(at.attributes.text("data_format") ?? "NHWC").startsWith("NC");
  if (isChannelsLast) return at.add("Add", [value, at.input(1)]);
  const axes = Array.from({ length: at.rank(value) - 2 }, (_, axis) => axis + 1);
  return at.add("Add", [value, at.add("Unsqueeze", [at.input(1), at.integers(axes)])]);
};

export const normalizations: Readonly<Record<string, Translate>> = {
  BiasAdd: bias,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  LRN: localResponse,
  LogSoftmax: alongLast("LogSoftmax"),
  Softmax: alongLast("Softmax"),
};
