import { randomUUID } from "node:crypto";
import { constants, type FileHandle, lutimes, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "@pare/runtime/format";
import { systemCode } from "../platform/file-error.js";
import { entryHeader, headerBytes, readHeader } from "./entry.js";

/** A hit is written down at most this often: an hour is fine enough to tell what is old. */
const touchEveryMs = 3_600_000;

/** What opening says of something that is no regular file, or not to be read. */
const foreign: readonly unknown[] = ["ELOOP", "EISDIR", "ENXIO", "EACCES"];

/**
 * An entry's payload. The file is a stranger's: whatever is not this entry, whole, is absent and removed, and no more
 * memory is taken than the largest payload needs. Never rejects.
 */
export async function readEntry(folder: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  // Neither follows a link nor waits for the other end of a pipe.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  let payload: Uint8Array | null = null;
  try {
    const file = await open(path, flags);
    try {
      const stats = await file.stat();
      payload = stats.isFile() ? await readPayload(file, name, stats.size) : null;
      if (payload !== null) await touch(path, stats.mtimeMs);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!foreign.includes(systemCode(error))) return undefined;
  }
  if (payload === null) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  return payload ?? undefined;
}

async function readPayload(
  file: FileHandle,
  name: string,
  fileBytes: number,
): Promise<Uint8Array | null> {
  const header = await readFully(file, 0, headerBytes);
  const payload = header === null ? null : readHeader(header, name, fileBytes);
  if (payload === null) return null;
  const bytes = await readFully(file, headerBytes, payload.bytes);
  return bytes !== null && (await sha256(bytes)) === payload.sha256 ? bytes : null;
}

/** Null when the file became shorter. */
async function readFully(
  file: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) return null;
    done += bytesRead;
  }
  return bytes;
}

async function touch(path: string, mtimeMs: number): Promise<void> {
  const now = Date.now();
  if (Math.abs(now - mtimeMs) < touchEveryMs) return;
  await lutimes(path, now / 1000, now / 1000).catch(() => undefined);
}

/**
 * Writes an entry under another name and renames it into place: readers see the old one, the new one or none. Nothing
 * is flushed; what a power cut leaves is found damaged when it is read.
 * @throws the system's error, having removed what was written
 */
export async function writeEntry(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `.${name}.${process.pid}.${randomUUID()}`);
  const header = entryHeader(name, bytes.length, await sha256(bytes));
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(header);
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
