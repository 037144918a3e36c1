import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { deserialize } from "node:v8";
import type { SampleRecord, StoredAt } from "./sample-writer.js";

/** Another thread that reads takes longer to be asked than so little takes to be read. */
const readHere = 2 ** 16;

/** A sample as it was stored, from the file that it lies in. */
export async function readRecord(
  file: FileHandle,
  { offset, length }: Pick<StoredAt, "offset" | "length">,
): Promise<SampleRecord> {
  // A buffer of its own: arrays of the record are views on it.
  const bytes = Buffer.allocUnsafeSlow(length);
  if (length <= readHere) readSync(file.fd, bytes, 0, length, offset);
  else await file.read(bytes, 0, length, offset);
  return deserialize(bytes);
}
