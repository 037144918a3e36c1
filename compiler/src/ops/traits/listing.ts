import { reductionSchemas } from "../schema/reduction.js";
import type { Cells } from "../schema/schemas.js";

/**
 * What the reference evaluation of an operator lists: nothing that its elements do not bear out, or, of a window, an equation,
 * every place that it reads. Of one without a cell it is not known.
 */
export type Listing = "elements" | "places";

const ofElements: Cells<Listing> = Object.fromEntries(
  Object.keys(reductionSchemas).map((op) => [op, "elements" as const]),
);

export const listing: Cells<Listing> = {
  ...ofElements,
  ConstantOfShape: "elements",
  Range: "elements",
  Shape: "elements",
  Size: "elements",
  Transpose: "elements",
  AveragePool: "places",
  Conv: "places",
  ConvTranspose: "places",
  Einsum: "places",
  LpPool: "places",
  MaxPool: "places",
};
