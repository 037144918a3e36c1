import { PareError } from "@pare/runtime/format";
import protobuf from "protobufjs/minimal.js";

// protobufjs reads and writes 64 bits through the package `long`, which it does not find in a browser bundle: there
// it rounds to a double, and given a bigint its writer writes 0. So 64-bit fields are read and written here.

/** Reads a varint of up to 64 bits as it stands, without a sign. */
export function readUint64(reader: protobuf.Reader): bigint {
  let low = 0;
  let high = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.buf[reader.pos];
    if (byte === undefined || reader.pos >= reader.len)
      throw new RangeError("a number goes beyond the end");
    if (shift > 63) throw new RangeError("a number has more than 64 bits");
    reader.pos += 1;
    const bits = byte & 127;
    if (shift < 32) low |= bits << shift;
    if (shift === 28) high |= bits >> 4;
    else if (shift > 32) high |= bits << (shift - 32);
    if (byte < 128) break;
  }
  if (high === 0) return BigInt(low >>> 0);
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export function readInt64(reader: protobuf.Reader): bigint {
  return BigInt.asIntN(64, readUint64(reader));
}

export function writeInt64(writer: protobuf.Writer, value: bigint): void {
  const bits = BigInt.asUintN(64, value);
  // The two halves are all the writer asks of a Long.
  writer.int64({ low: Number(bits & 0xffff_ffffn), high: Number(bits >> 32n), unsigned: false });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws PareError MODEL_INVALID when the bytes are not UTF-8 */
export function readText(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new PareError("MODEL_INVALID", `${where} is not valid UTF-8.`, { where, cause });
  }
}

/** Text where the bytes are UTF-8, else the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

const encoder = new TextEncoder();

export function textBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}
