import type { FileHandle } from "node:fs/promises";
import { deserialize } from "node:v8";
import type { SampleRecord, StoredAt } from "./sample-writer.js";

/** A sample as it was stored, from the file that it lies in. */
export async function readRecord(
  file: FileHandle,
  { offset, length }: Pick<StoredAt, "offset" | "length">,
): Promise<SampleRecord> {
  // A buffer of its own: arrays of the record are views on it.
  const bytes = Buffer.allocUnsafeSlow(length);
  await file.read(bytes, 0, length, offset);
  return deserialize(bytes);
}
