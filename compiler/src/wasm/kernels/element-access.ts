import {
  type Address,
  loadByte,
  loadFloat,
  loadInteger,
  loadLong,
  loadSignedByte,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { type Scalar, type ScalarType, toFloat, toInteger, toLong } from "../encode/scalar.js";
import { type Element, elementBytes, type Elements } from "./element.js";
import type { Memory } from "./kernel.js";

/** What an element is computed as. */
export function typeOf(element: Element): ScalarType {
  return element === "i64" || element === "f32" ? element : "i32";
}

export function loadElement(element: Element, at: Address, offset = 0): Scalar {
  switch (element) {
    case "f32":
      return loadFloat(at, offset);
    case "i32":
      return loadInteger(at, offset);
    case "i64":
      return loadLong(at, offset);
    case "i8":
      return loadSignedByte(at, offset);
    case "u8":
      return loadByte(at, offset);
    default:
      return element satisfies never;
  }
}

/** A number of any type becomes the element's. */
export function storeElement(
  f: FunctionBuilder,
  element: Element,
  at: Address,
  offset: number,
  value: Scalar,
): void {
  switch (element) {
    case "f32":
      return f.storeFloat(at, offset, toFloat(value));
    case "i32":
      return f.storeInteger(at, offset, toInteger(value));
    case "i64":
      return f.storeLong(at, offset, toLong(value));
    case "i8":
    case "u8":
      return f.storeByte(at, offset, toInteger(value));
    default:
      return element satisfies never;
  }
}

export function elementsIn(memory: Memory, element: Element): Elements {
  switch (element) {
    case "f32":
      return memory.floats;
    case "i32":
      return memory.integers;
    case "i64":
      return memory.longs;
    case "i8":
      return memory.signedBytes;
    case "u8":
      return memory.bytes;
    default:
      return element satisfies never;
  }
}

/** The element at an address, as references read it. */
export function elementAt(memory: Memory, element: Element, address: number): number | bigint {
  return elementsIn(memory, element)[address / elementBytes[element]] ?? 0;
}

/** Writes an element at an address as code does: a float's rest is cut off, and an integer's higher bits. */
export function setElement(
  memory: Memory,
  element: Element,
  address: number,
  value: number | bigint,
): void {
  const at = address / elementBytes[element];
  const elements = elementsIn(memory, element);
  if (elements instanceof BigInt64Array) elements[at] = whole(value, 64n);
  else if (elements instanceof Float32Array) elements[at] = Number(value);
  else elements[at] = Number(BigInt.asIntN(32, whole(value, 32n)));
}

/** Towards zero; of what is no number 0, and what a float has beyond the integers becomes the nearest of them. */
function whole(value: number | bigint, bits: bigint): bigint {
  if (typeof value === "bigint") return value;
  if (Number.isNaN(value)) return 0n;
  const most = 2n ** (bits - 1n);
  if (value >= Number(most)) return most - 1n;
  return value <= -Number(most) ? -most : BigInt(Math.trunc(value));
}
