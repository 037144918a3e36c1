import { halvesToFloats } from "./float16.js";
import type { Tensor } from "./tensor.js";

/**
 * A tensor's elements as numbers, in order; float32 and float64 as they are held. 64-bit integers beyond 2^53 round.
 * Null for what is not one number each in its array: strings, complex numbers, packed integers and 8-bit floats.
 */
export function numbersOf({ type, data }: Tensor): Float32Array | Float64Array | null {
  switch (type) {
    case "float32":
    case "float64":
      return data instanceof Float32Array || data instanceof Float64Array ? data : null;
    case "float16":
      return data instanceof Uint16Array ? halvesToFloats(data) : null;
    case "bfloat16":
      return data instanceof Uint16Array ? bfloatsToFloats(data) : null;
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "uint64":
    case "bool":
      return Float64Array.from<string | number | bigint>(data, Number);
    default:
      return null;
  }
}

/** A bfloat16 is the upper half of a float32. */
export function bfloatsToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}
