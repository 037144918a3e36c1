import { bytesOf, elementCount, isRecord, PareError } from "@pare/runtime/format";

/** A float32 array with its dims. */
export interface SavedArray {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Arrays by name, and texts beside them. */
export interface SavedArrays {
  readonly arrays: ReadonlyMap<string, SavedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

const lengthBytes = 8;
const longestHeader = 100_000_000;
/** Data begins at a multiple of it: the header is filled up with spaces. */
const alignment = 8;

/**
 * The safetensors format: the header's length as a little-endian u64, the header as JSON, and the arrays' bytes.
 * https://github.com/huggingface/safetensors#format
 */
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
  const bytes = new Uint8Array(lengthBytes + padded + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, lengthBytes, lengthBytes + padded);
  bytes.set(text, lengthBytes);
  let at = lengthBytes + padded;
  for (const { data } of arrays.values()) {
    bytes.set(bytesOf(data), at);
    at += data.byteLength;
  }
  return bytes;
}

/** @throws PareError DATA_INVALID for what is not such a file, or holds other arrays than of float32 */
export function readSafetensors(bytes: Uint8Array, where: string): SavedArrays {
  const refuse = (what: string): never => {
    throw new PareError("DATA_INVALID", `The file ${what}.`, {
      where,
      hint: "Name a file of safetensors that was written whole.",
    });
  };
  if (bytes.byteLength < lengthBytes) refuse("is too short for a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const start = lengthBytes + length;
  if (length > longestHeader || start > bytes.byteLength)
    refuse(`says that its header has ${length} bytes`);
  const header = jsonIn(bytes.subarray(lengthBytes, start));
  if (header === null) return refuse("has a header that is not a JSON object");
  const metadata: Record<string, string> = {};
  const arrays = new Map<string, SavedArray>();
  for (const [name, entry] of Object.entries(header)) {
    if (!isRecord(entry)) return refuse(`has a damaged entry for "${name}"`);
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(entry))
        if (typeof text === "string") metadata[key] = text;
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry;
    if (dtype !== "F32" || !isCounts(shape) || !isCounts(offsets))
      return refuse(`has an entry for "${name}" that is not of float32 numbers`);
    const [from = 0, to = 0] = offsets;
    const count = elementCount(shape);
    if (!Number.isSafeInteger(count) || to - from !== 4 * count || start + to > bytes.byteLength)
      return refuse(`has an entry for "${name}" that does not lie inside it`);
    // Copied: offsets in a stranger's file need not be multiples of 4. (Node's Buffer.slice copies nothing.)
    const data = new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer);
    arrays.set(name, { dims: shape, data });
  }
  return { arrays, metadata };
}

function jsonIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isRecord(value) && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}
