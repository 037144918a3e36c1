import type { Cells } from "../schema/schemas.js";

/**
 * `of-integers`: computed on integers as well as on floats, where all that it reads is rounded: a sum, a product, a mean, a
 * joint. `before-rounding`: computed on what sums of products come to, before that is rounded.
 */
export type OnIntegers = "of-integers" | "before-rounding";

export const onIntegers: Cells<OnIntegers> = {
  Add: "of-integers",
  Mul: "of-integers",
  Concat: "of-integers",
  AveragePool: "of-integers",
  GlobalAveragePool: "of-integers",
  HardSwish: "before-rounding",
};
