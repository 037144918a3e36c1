import { dtypeBits } from "@pare/runtime/format";
import { type IntegerArray, integerArray, type IntegerDtype, isSigned } from "./format.js";

/**
 * Elements as ONNX stores them: 8 bits as they are; of 4 and 2 bits two and four in a byte, the first in the lowest
 * bits, signed ones in two's complement, zeros where the last byte is not full.
 */
export function pack(dtype: IntegerDtype, data: IntegerArray): IntegerArray {
  const bits = dtypeBits[dtype];
  if (bits === 8) return data;
  const each = 8 / bits;
  const mask = 2 ** bits - 1;
  const bytes = new Uint8Array(Math.ceil(data.length / each));
  for (let i = 0, at = 0; i < data.length; at += 1) {
    let byte = 0;
    for (let shift = 0; shift < 8 && i < data.length; shift += bits, i += 1)
      byte |= ((data[i] as number) & mask) << shift;
    bytes[at] = byte;
  }
  return bytes;
}

/** What `pack` packed: `count` elements of it. */
export function unpack(dtype: IntegerDtype, packed: IntegerArray, count: number): IntegerArray {
  const bits = dtypeBits[dtype];
  const data = integerArray(dtype, count);
  if (bits === 8) {
    data.set(packed.subarray(0, count));
    return data;
  }
  const mask = 2 ** bits - 1;
  const sign = isSigned(dtype) ? 2 ** (bits - 1) : 0;
  for (let i = 0, at = 0; i < count; at += 1) {
    const byte = packed[at] as number;
    for (let shift = 0; shift < 8 && i < count; shift += bits, i += 1)
      data[i] = (((byte >> shift) & mask) ^ sign) - sign;
  }
  return data;
}
