import type { ValueId } from "../../ir/index.js";
import type { Backward } from "./backward.js";
import type { Forward } from "./forward.js";

/**
 * Writes what the cotangents of a node's outputs make of its inputs, in operators of opset 21: one value per input, of
 * the input's shape; null where no gradient is asked for, or none goes there.
 */
export type GradientRule = (backward: Backward) => readonly (ValueId | null)[];

/** Writes the node in operators that have rules, and these are differentiated in its place; a value per output. */
export interface Lowering {
  readonly lower: (forward: Forward) => readonly (ValueId | null)[];
}

/**
 * How a gradient goes back through an operator. `none`: its result does not vary with its inputs, or only in steps.
 * `straight-through`: the same, but where rounding is to be learned through, the gradient passes as if nothing was done.
 */
export type Gradient = GradientRule | Lowering | "none" | "straight-through";
