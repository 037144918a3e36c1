import type { Cells } from "../schema/schemas.js";

/** y = min(max(x, low), high): what rounding to integers does too, when their range ends where the bounds are. */
export interface Clamp {
  /** The inputs that hold the bounds, the low one first; none where they are fixed. */
  readonly bounds: readonly number[];
}

export const clamp: Cells<Clamp> = {
  Relu: { bounds: [] },
  Clip: { bounds: [1, 2] },
};
