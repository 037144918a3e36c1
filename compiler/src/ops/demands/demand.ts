import type { Dim } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { InferContext } from "../shape/rule.js";

/**
 * What an operator demands of the sizes of its inputs, and of attributes that belong together, besides what its shape rule
 * needs. What is not known meets every demand.
 * @returns what is not met, in words; undefined where nothing is
 */
export type Demand = (context: InferContext) => string | undefined;

type Shape = readonly (Dim | undefined)[];

/** Are both known, and not the same? */
export function differ(a: Dim | undefined, b: Dim | undefined): boolean {
  return typeof a === "number" && typeof b === "number" && a !== b;
}

/** Is a shape known, and another than wanted? A size that is undefined may be any. */
export function isOther(shape: readonly Dim[] | undefined, wanted: Shape): boolean {
  if (shape === undefined) return false;
  return shape.length !== wanted.length || shape.some((size, at) => differ(size, wanted[at]));
}

/** Of so many axes; undefined where the rank is not known. */
export function isAxis(axis: number, rank: number | undefined): boolean {
  return rank === undefined || (Number.isInteger(axis) && axis >= -rank && axis < rank);
}

/** Are they axes of a tensor, none of them twice? */
export function areAxes(axes: readonly number[] | undefined, rank: number | undefined): boolean {
  if (axes === undefined || rank === undefined) return true;
  const each = new Set(axes.map((axis) => normalAxis(axis, rank)));
  return axes.every((axis) => isAxis(axis, rank)) && each.size === axes.length;
}

/** The integers of an input where all are numbers. */
export function numbersIn(context: InferContext, input: number): readonly number[] | undefined {
  const found = context.elements(input);
  return found?.every((value) => typeof value === "number") ? found : undefined;
}

export function isGiven({ node }: InferContext, input: number): boolean {
  return (node.inputs[input] ?? null) !== null;
}

/** Does an input hold one number, if it is there? */
export function isOne(context: InferContext, input: number): boolean {
  return context.shape(input)?.every((size) => !differ(size, 1)) !== false;
}

/** Has an attribute one of these words, or none? */
export function isOneOf(context: InferContext, name: string, words: string): boolean {
  const given = context.attributes.get(name);
  return given === undefined || words.split(" ").includes(context.attributes.string(name, ""));
}

export const noSuchAxis = "it has no such axis";

/** An attribute names an axis of the first input. */
export const alongAxis =
  (fallback: number): Demand =>
  (context) =>
    isAxis(context.attributes.int("axis", fallback), context.shape(0)?.length)
      ? undefined
      : noSuchAxis;

/** Why a node of which sizes are free is not said in others: beside those sizes it need not be told. */
export const unknownSizes = "its sizes are not known";
