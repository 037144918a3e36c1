import type { Dtype } from "@pare/runtime/format";
import type { Element } from "../kernels/element.js";

/**
 * What is computed with, by type. An int64 keeps its 64 bits everywhere: nothing bounds an id that a model is given, or
 * what is computed of it, and such tensors are small. A truth value is a lane of 0 or 1, so that it lies beside the
 * floats that are compared and chosen by it; where the model takes or gives it, it is a byte.
 */
const elements: ReadonlyMap<Dtype, Element> = new Map<Dtype, Element>([
  ["float32", "f32"],
  ["bool", "i32"],
  ["int32", "i32"],
  ["int64", "i64"],
  ["int8", "i8"],
  ["uint8", "u8"],
]);

/** Undefined for a type that is not compiled. */
export function elementOfType(dtype: Dtype): Element | undefined {
  return elements.get(dtype);
}

/** Every type that a value may have: what moves elements takes them all. */
export const heldTypes: readonly Dtype[] = [...elements.keys()];
