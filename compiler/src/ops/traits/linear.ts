import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/** y = x ∗ w + b: linear in an activation and in its weights, which `weights` tells more of. */
export interface Linear {
  readonly kind: "convolution" | "transposed-convolution" | "matrix";
  /** Which inputs are x, w and b; a product that cannot add has no b. */
  readonly activation: number;
  readonly weight: number;
  readonly bias: number | undefined;
  /** The axis of x that holds the channels that are summed over; −1 is the last one. */
  readonly inputChannels: number;
  /** Why with these attributes it is something else than x ∗ w + b; undefined where it is not. */
  unlike?(attributes: AttributeReader): string | undefined;
}

export const linear: Cells<Linear> = {
  Conv: { kind: "convolution", activation: 0, weight: 1, bias: 2, inputChannels: 1 },
  ConvTranspose: {
    kind: "transposed-convolution",
    activation: 0,
    weight: 1,
    bias: 2,
    inputChannels: 1,
  },
  Gemm: {
    kind: "matrix",
    activation: 0,
    weight: 1,
    bias: 2,
    inputChannels: -1,
    unlike: (attributes) =>
      attributes.float("alpha", 1) === 1 &&
      attributes.float("beta", 1) === 1 &&
      attributes.int("transA", 0) === 0
        ? undefined
        : "its alpha, beta or transA is not the default",
  },
  MatMul: { kind: "matrix", activation: 0, weight: 1, bias: undefined, inputChannels: -1 },
};
