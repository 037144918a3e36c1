import { readFile, stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, PareError, throwIfAborted } from "../format/error.js";

/** A bundle's address as the caller wrote it: a path, or a URL with its scheme. Throws for what is none. */
export function locate(source: string): URL {
  return /^(https?|file|data):/.test(source) ? new URL(source) : pathToFileURL(resolve(source));
}

/**
 * @param most null comes back for a file of more bytes
 * @throws PareError BUNDLE_NOT_FOUND where it is no file (a pipe could be waited for without end), ABORTED
 */
export async function readFileUrl(
  url: URL,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const found = await stat(url);
    if (!found.isFile()) throw new Error("it is not a file");
    if (found.size > most) return null;
    const { buffer, byteOffset, length } = await readFile(url, signal ? { signal } : {});
    // Of this realm, which a test runner may have made: engines take no other.
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    throwIfAborted(signal);
    throw new PareError("BUNDLE_NOT_FOUND", `The file cannot be read: ${messageOf(cause)}`, {
      where: url.href,
      cause,
    });
  }
}

export function deviceMemoryBytes(): number | undefined {
  return totalmem();
}
