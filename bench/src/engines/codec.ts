import { bytesOf, isTypedArray, type TypedArray } from "@pare/runtime/format";

/**
 * Values with typed arrays inside as one run of bytes: the length of the JSON, the JSON with each array replaced by where
 * it lies, and the arrays one after the other, each at a multiple of eight.
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const parts = encodeParts(value);
  const out = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

/** The same run in parts: arrays are not copied. */
export function encodeParts(value: unknown): readonly Uint8Array[] {
  const arrays: TypedArray[] = [];
  let bytes = 0;
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, each: unknown) {
    const array = this[key]; // not `each`: a Buffer has already made itself JSON there
    if (!isTypedArray(array)) return renamed(each, (name) => `\0${name}`);
    arrays.push(array);
    const at = bytes;
    bytes += aligned(array.byteLength);
    return {
      [mark]: [
        array instanceof Uint8Array ? "Uint8Array" : array.constructor.name,
        at,
        array.length,
      ],
    };
  });
  const header = new TextEncoder().encode(json);
  const front = new Uint8Array(aligned(8 + header.byteLength));
  new DataView(front.buffer).setUint32(0, header.byteLength, true);
  front.set(header, 8);
  const parts: Uint8Array[] = [front];
  for (const array of arrays) {
    parts.push(bytesOf(array));
    const gap = aligned(array.byteLength) - array.byteLength;
    if (gap > 0) parts.push(new Uint8Array(gap));
  }
  return parts;
}

/** The value back; its arrays are views of `bytes`. */
export function decode(bytes: Uint8Array<ArrayBuffer>): unknown {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const body = bytes.byteOffset + aligned(8 + length);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)), (_, each: unknown) => {
    if (typeof each !== "object" || each === null || !(mark in each))
      return renamed(each, (name) => name.slice(1));
    const [name, at, count] = each[mark] as [keyof typeof constructors, number, number];
    return new constructors[name](bytes.buffer, body + at, count);
  });
}

/** No key of a value's own on its way: a model may name its outputs so, and names that begin with NUL get another one. */
const mark = "\0array";

function isSpecial(name: string): boolean {
  return name.startsWith("\0");
}

/** With `nameOf` the names that begin with NUL, where there are some; all else as it is. */
function renamed(value: unknown, nameOf: (name: string) => string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some(isSpecial)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [isSpecial(name) ? nameOf(name) : name, each]),
  );
}

const constructors = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
};

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
