import { type Dim, product } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { permutationOf } from "../families/movement.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/** Where one channel lies in the result: an axis, and how many neighbouring places on it are its own. */
export interface ChannelsAt {
  readonly axis: number;
  readonly each: Dim;
}

/**
 * An operator through which channels pass: those of the first output are made of the first input's channels, each of
 * its own and of nothing of the others.
 */
export interface Channels {
  /**
   * With which factors per channel it commutes, f(s · x) = s · f(x): "any" (it is linear), "positive" (it is
   * positively homogeneous: whatever the slope, a LeakyRelu looks at signs alone), or "none".
   */
  readonly scaling: "any" | "positive" | "none";
  /** The inputs that hold an element for each channel: they are cut along with it. */
  readonly perChannel: readonly number[];
  /** Where the channels along an axis of the first input come to lie; undefined where they do not stay apart. */
  place(axis: number, shape: readonly Dim[], attributes: AttributeReader): ChannelsAt | undefined;
}

function elementwise(scaling: Channels["scaling"], perChannel: readonly number[] = []): Channels {
  return { scaling, perChannel, place: (axis) => ({ axis, each: 1 }) };
}

/** Batch and channels stay; the spatial axes are pooled. */
function pool(scaling: Channels["scaling"]): Channels {
  return {
    scaling,
    perChannel: [],
    place: (axis) => (axis < 2 ? { axis, each: 1 } : undefined),
  };
}

/** y = a · x + b with a channel's own numbers, on axis 1. */
function affine(perChannel: readonly number[]): Channels {
  return {
    scaling: "none",
    perChannel,
    place: (axis) => (axis === 1 ? { axis, each: 1 } : undefined),
  };
}

const bent = elementwise("none");

export const channels: Cells<Channels> = {
  Identity: elementwise("any"),
  Neg: elementwise("any"),
  Dropout: elementwise("any"),
  AveragePool: pool("any"),
  GlobalAveragePool: pool("any"),
  Transpose: {
    scaling: "any",
    perChannel: [],
    place: (axis, shape, attributes) => ({
      axis: permutationOf(attributes.ints("perm"), shape.length).indexOf(axis),
      each: 1,
    }),
  },
  /** The first axis of either half keeps its channels together. */
  Flatten: {
    scaling: "any",
    perChannel: [],
    place(axis, shape, attributes) {
      const half = normalAxis(attributes.int("axis", 1), shape.length);
      if (axis === half) return { axis: 1, each: product(shape.slice(half + 1)) };
      return axis === 0 ? { axis: 0, each: product(shape.slice(1, half)) } : undefined;
    },
  },
  Abs: elementwise("positive"),
  Relu: elementwise("positive"),
  LeakyRelu: elementwise("positive"),
  PRelu: elementwise("positive", [1]),
  MaxPool: pool("positive"),
  GlobalMaxPool: pool("positive"),
  LpPool: pool("positive"),
  BatchNormalization: affine([1, 2, 3, 4]),
  InstanceNormalization: affine([1, 2]),
  Celu: bent,
  Clip: bent,
  Elu: bent,
  Erf: bent,
  Exp: bent,
  Gelu: bent,
  "com.microsoft::Gelu": bent,
  "com.microsoft::QuickGelu": bent,
  HardSigmoid: bent,
  HardSwish: bent,
  Log: bent,
  Mish: bent,
  Reciprocal: bent,
  Selu: bent,
  Shrink: bent,
  Sigmoid: bent,
  Softplus: bent,
  Softsign: bent,
  Sqrt: bent,
  Tanh: bent,
  ThresholdedRelu: bent,
};
