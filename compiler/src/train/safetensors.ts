import { bytesOf } from "@pare/runtime/format";
import {
  safetensorsHeaderLength,
  invalidSafetensors,
  safetensorsLengthBytes,
  parseSafetensorsHeader,
  type SafetensorsHeader,
} from "./safetensors-header.js";

/** A float32 array with its dims. */
export interface SavedArray {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Arrays by name, and texts beside them. */
export interface SavedArrays {
  readonly arrays: ReadonlyMap<string, SavedArray>;
  readonly metadata: SafetensorsHeader["metadata"];
}

/** Data begins at a multiple of it: the header is filled up with spaces. */
const alignment = 8;

/** The bytes of a file of safetensors. */
export function writeSafetensors({ arrays, metadata }: SavedArrays): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = [...arrays].map(([name, { dims, data }]) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape: dims, data_offsets: [start, end] }] as const;
  });
  const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const text = new TextEncoder().encode(header);
  const padded = Math.ceil(text.byteLength / alignment) * alignment;
  const bytes = new Uint8Array(safetensorsLengthBytes + padded + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, safetensorsLengthBytes, safetensorsLengthBytes + padded);
  bytes.set(text, safetensorsLengthBytes);
  let at = safetensorsLengthBytes + padded;
  for (const { data } of arrays.values()) {
    bytes.set(bytesOf(data), at);
    at += data.byteLength;
  }
  return bytes;
}

/** @throws PareError DATA_INVALID for what is not such a file, or holds other arrays than of float32 */
export function readSafetensors(bytes: Uint8Array, where: string): SavedArrays {
  const length = safetensorsHeaderLength(
    bytes.subarray(0, safetensorsLengthBytes),
    bytes.byteLength,
    where,
  );
  const header = bytes.subarray(safetensorsLengthBytes, safetensorsLengthBytes + length);
  const { arrays: stored, metadata } = parseSafetensorsHeader(header, bytes.byteLength, where);
  const arrays = new Map<string, SavedArray>();
  for (const [name, { type, dims, at, bytes: size }] of stored) {
    if (type !== "float32")
      throw invalidSafetensors(`has "${name}" of ${type}, and not of float32`, where);
    // Copied: offsets in a stranger's file need not be multiples of 4. (Node's Buffer.slice copies nothing.)
    const data = new Float32Array(new Uint8Array(bytes.subarray(at, at + size)).buffer);
    arrays.set(name, { dims, data });
  }
  return { arrays, metadata };
}
