import { reductionSchemas } from "../schema/reduction.js";
import type { Cells } from "../schema/schemas.js";

/** Axes of its input come to one element each. */
export const reduces: Cells<true> = Object.fromEntries(
  Object.keys(reductionSchemas).map((op) => [op, true as const]),
);
