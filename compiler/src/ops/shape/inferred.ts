import type { Dtype } from "@pare/runtime/format";
import { type Dim, dim, type Inferred, tensorType } from "../../ir/index.js";
import { broadcastShapes } from "../families/broadcast.js";
import { elementLimit } from "./integers.js";
import type { InferContext } from "./rule.js";

/** One output of a dtype and shape. */
export function tensorOf(
  dtype: Dtype | undefined,
  shape: readonly Dim[] | undefined,
  elements?: readonly Dim[],
): readonly Inferred[] {
  return [{ type: tensorType(dtype, shape), elements }];
}

/** The output is as the first input. */
export function sameAsInput(context: InferContext): readonly Inferred[] {
  return tensorOf(context.dtype(0), context.shape(0));
}

/** The shapes of `count` inputs (all where not given), broadcast; undefined where one is unknown. */
export function broadcastInputs(
  context: InferContext,
  count = context.node.inputs.length,
): readonly Dim[] | undefined {
  return broadcastShapes(Array.from({ length: count }, (_, index) => context.shape(index)));
}

/** The integers that an input holds, or an attribute of that name where an older opset had it there. */
export function integersOf(
  context: InferContext,
  input: number,
  attribute: string,
): readonly Dim[] | undefined {
  return context.elements(input) ?? context.attributes.ints(attribute);
}

/** Those of `integersOf` as numbers; undefined where one is not. */
export function numbersOf(
  context: InferContext,
  input: number,
  attribute: string,
): readonly number[] | undefined {
  const found = integersOf(context, input, attribute);
  return found?.every((value) => typeof value === "number") ? found : undefined;
}

/** Was the input, or the attribute that came before it, left out? */
export function isAbsent(context: InferContext, input: number, attribute: string): boolean {
  return (context.node.inputs[input] ?? null) === null && !context.attributes.has(attribute);
}

/** Unknown dims, as many as an input that holds a shape has elements. */
export function unknownDims(context: InferContext, input: number): readonly Dim[] | undefined {
  const rank = context.shape(input)?.[0];
  if (typeof rank !== "number" || rank > elementLimit) return undefined;
  return Array.from({ length: rank }, () => dim.unknown());
}
