import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";

/** By what was seen in training. */
const batch: TranslateLayer = (at) => {
  const mean = at.find("moving_mean", 1);
  const { dims } = mean.tensor;
  const rank = at.rank(at.input);
  const [axis = rank - 1] = axesOf(at, rank);
  const statistics = [
    optional(at, "gamma", "scale", dims, 1),
    optional(at, "beta", "center", dims, 0),
    mean.value,
    at.weight("moving_variance", 1),
  ];
  // Channels come second: the same exchange leads there and back.
  const second = Array.from({ length: rank }, (_, at) => (at === 1 ? axis : at === axis ? 1 : at));
  const made = at.add("BatchNormalization", [at.transpose(at.input, second), ...statistics], {
    epsilon: attribute.float(at.config.number("epsilon", 1e-3)),
  });
  return at.transpose(made, second);
};

/** Over some axes, which in ONNX are the last ones. */
const layer: TranslateLayer = (at) => {
  const shape = at.shapeOf(at.input) ?? at.refuse("the sizes of what it reads are not known");
  const axes = axesOf(at, shape.length);
  if (axes.some((axis, index) => index > 0 && axis <= (axes[index - 1] ?? 0)))
    return at.refuse("its axes are not in their order");
  const dims = axes.map((axis) => {
    const size = shape[axis];
    return typeof size === "number" ? size : at.refuse("it is over a size that is free");
  });
  const others = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const turned = [...others, ...axes];
  const made = at.add(
    "LayerNormalization",
    [
      at.transpose(at.input, turned),
      optional(at, "gamma", "scale", dims, 1),
      optional(at, "beta", "center", dims, 0),
    ],
    {
      axis: attribute.int(others.length),
      epsilon: attribute.float(at.config.number("epsilon", 1e-3)),
    },
  );
  return at.transpose(
    made,
    shape.map((_, axis) => turned.indexOf(axis)),
  );
};

/** Counted from the first. */
function axesOf(at: LayerTranslation, rank: number): readonly number[] {
  return (at.config.integers("axis") ?? [-1]).map((axis) => {
    const counted = axis < 0 ? axis + rank : axis;
    return counted > 0 && counted < rank ? counted : at.invalid(`has no axis ${axis}`);
  });
}

function optional(
  at: LayerTranslation,
  weight: string,
  key: "scale" | "center",
  dims: readonly number[],
  otherwise: number,
): ValueId {
  if (at.config.flag(key, true)) return at.weight(weight, dims.length);
  // Sizes may be whatever a file says: nothing is made of them here.
  return at.add("Expand", [at.constant(Tensor.float32([], [otherwise])), at.integers(dims)]);
}

export const normalizationLayers: Readonly<Record<string, TranslateLayer>> = {
  BatchNormalization: batch,
  LayerNormalization: layer,
};
