import {
  type Address,
  type Expression,
  loadByte,
  loadFloat,
  loadInteger,
  loadLong,
  loadSignedByte,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { type Scalar, toFloat, toInteger, toLong } from "../encode/scalar.js";
import { type Element, elementBytes, type Elements } from "./element.js";
import type { Memory } from "./kernel.js";

interface Types {
  readonly f32: "f32";
  readonly i32: "i32";
  readonly i64: "i64";
  readonly i8: "i32";
  readonly u8: "i32";
}

const types: Types = { f32: "f32", i32: "i32", i64: "i64", i8: "i32", u8: "i32" };

/** What an element is computed as. */
export function typeOf<E extends Element>(element: E): Types[E] {
  return types[element];
}

const loads: {
  readonly [E in Element]: (at: Address, offset: number) => Expression<Types[E]>;
} = { f32: loadFloat, i32: loadInteger, i64: loadLong, i8: loadSignedByte, u8: loadByte };

export function loadElement<E extends Element>(
  element: E,
  at: Address,
  offset = 0,
): Expression<Types[E]> {
  return loads[element](at, offset);
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

function elementsIn(memory: Memory, element: Element): Elements {
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
