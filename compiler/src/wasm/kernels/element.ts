import type { TypedArray } from "@pare/runtime/format";

/** What an element is in memory: a float of 32 bits, integers by their bits. */
export type Element = "f32" | "i32" | "i64" | "i8" | "u8";

export const elementBytes: Readonly<Record<Element, number>> = {
  f32: 4,
  i32: 4,
  i64: 8,
  i8: 1,
  u8: 1,
};

/** Elements in a vector. */
export function lanesOf(element: Element): number {
  return 16 / elementBytes[element];
}

/** Arrays of elements as they lie in memory. */
export type Elements = Float32Array | Int32Array | BigInt64Array | Int8Array | Uint8Array;

export function elementOf(array: Elements): Element {
  if (array instanceof Float32Array) return "f32";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof BigInt64Array) return "i64";
  return array instanceof Int8Array ? "i8" : "u8";
}

/** A constant's elements as they lie in memory; undefined for a type that is not compiled. */
export function elementsOf(array: TypedArray, element: Element): Elements | undefined {
  // Truth values come as bytes, and take a lane.
  if (array instanceof Uint8Array && element === "i32") return Int32Array.from(array, isTrue);
  return array instanceof Float32Array ||
    array instanceof Int32Array ||
    array instanceof BigInt64Array ||
    array instanceof Int8Array ||
    array instanceof Uint8Array
    ? array
    : undefined;
}

function isTrue(value: number): number {
  return value === 0 ? 0 : 1;
}
