import { Buffer } from "node:buffer";

// An entry's file: magic (8 bytes), version (4, little-endian), name (32), length of the payload (8), sha256 of the
// payload (32), payload. The name is also that of the file: one that was renamed or copied is no entry.

const magic = Buffer.from("PareCach", "latin1");
const version = 1;

export const headerBytes = 84;

/** Larger payloads are not kept, and files that claim one are not read. */
export const mostPayloadBytes = 256 * 2 ** 20;

/** @param name of the entry, and `sha256` of its payload: 64 hex digits each */
export function entryHeader(name: string, payloadBytes: number, sha256: string): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(version, 8);
  header.write(name, 12, 32, "hex");
  header.writeBigUInt64LE(BigInt(payloadBytes), 44);
  header.write(sha256, 52, 32, "hex");
  return header;
}

export interface Payload {
  readonly bytes: number;
  /** What its bytes must hash to. */
  readonly sha256: string;
}

/** What a file of this size says of its payload; null when it is not the entry that its name promises. */
export function readHeader(header: Uint8Array, name: string, fileBytes: number): Payload | null {
  if (header.length !== headerBytes) return null;
  const view = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const bytes = fileBytes - headerBytes;
  const right =
    view.subarray(0, 8).equals(magic) &&
    view.readUInt32LE(8) === version &&
    view.toString("hex", 12, 44) === name &&
    bytes <= mostPayloadBytes &&
    view.readBigUInt64LE(44) === BigInt(bytes);
  return right ? { bytes, sha256: view.toString("hex", 52, 84) } : null;
}

/** Names of entries, and of what an interrupted write or pruning leaves. */
export const isEntryName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);
export const isTemporaryName = (name: string): boolean => /^\.(lock|[0-9a-f]{64})\../.test(name);
