import type { Cells } from "../schema/schemas.js";

/** Where a result's elements come from, when they are elements of the inputs, unchanged. */
export type DataMovement =
  /** The first input itself. */
  | "copies"
  /** All of its elements, in their order, under another shape. */
  | "reshapes"
  /** All of its elements, each once, in another order. */
  | "permutes"
  /** Some of its elements, some of them perhaps several times, by where they lie. */
  | "selects"
  /** Some of its elements, by what they are: nothing is moved without comparing. */
  | "chooses"
  /** Elements of several inputs. */
  | "joins"
  /** Besides elements of the first input, a constant. */
  | "pads";

/**
 * Of the outputs that have the input's dtype; others (Indices) say where elements were. An operator without a cell
 * computes, or it is not known whether it does.
 */
export const dataMovement: Cells<DataMovement> = {
  Identity: "copies",
  Reshape: "reshapes",
  Flatten: "reshapes",
  Squeeze: "reshapes",
  Unsqueeze: "reshapes",
  Transpose: "permutes",
  DepthToSpace: "permutes",
  SpaceToDepth: "permutes",
  ReverseSequence: "permutes",
  Slice: "selects",
  Split: "selects",
  Gather: "selects",
  GatherElements: "selects",
  GatherND: "selects",
  Compress: "selects",
  Expand: "selects",
  Tile: "selects",
  MaxPool: "chooses",
  GlobalMaxPool: "chooses",
  ReduceMax: "chooses",
  ReduceMin: "chooses",
  TopK: "chooses",
  Concat: "joins",
  Where: "joins",
  Pad: "pads",
  Trilu: "pads",
};

/** Is every element of the result one of the first input's, so that rounding it to the input's steps is exact? */
export function movesExactly(movement: DataMovement | undefined): boolean {
  switch (movement) {
    case "copies":
    case "reshapes":
    case "permutes":
    case "selects":
    case "chooses":
      return true;
    case "joins":
    case "pads":
    case undefined:
      return false;
    default:
      return movement satisfies never;
  }
}
