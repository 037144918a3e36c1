import type { Cells } from "../schema/schemas.js";

/** How an operator runs the bodies that it holds: one of them once, or one of them an unknown number of times. */
export type Bodies = "branches" | "loop";

export const bodies: Cells<Bodies> = {
  If: "branches",
  Loop: "loop",
  Scan: "loop",
};
