import type { Cells } from "../schema/schemas.js";

/** It is computed on integers as well as on floats, where all that it reads is rounded: a sum, a product, a mean, a joint. */
export type OnIntegers = true;

export const onIntegers: Cells<OnIntegers> = {
  Add: true,
  Mul: true,
  Concat: true,
  AveragePool: true,
  GlobalAveragePool: true,
};
