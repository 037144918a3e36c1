import type { Cells } from "../schema/schemas.js";

/** How large its result is hangs on the numbers that it is given: a run tells. */
export const sizedByContent: Cells<true> = {
  Compress: true,
  NonMaxSuppression: true,
  NonZero: true,
};
