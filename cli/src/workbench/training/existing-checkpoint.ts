import { existsSync } from "node:fs";
import { openFileSource } from "../../platform/file-source.js";

/**
 * A checkpoint to go on from, of any size: Node reads no file at once that has more than 2 GiB.
 * @returns null where there is no such file yet
 * @throws PareError PERMISSION, NO_MEMORY, DATA_NOT_FOUND where it is no regular file
 */
export async function existingCheckpoint(path: string): Promise<Uint8Array | null> {
  if (!existsSync(path)) return null;
  const file = openFileSource(path, "DATA_NOT_FOUND");
  try {
    return await file.read(0, file.size);
  } finally {
    file.close();
  }
}
