import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A bundle's address as the caller wrote it: a path, or a URL with its scheme. */
export function locate(source: string): URL {
  return /^(https?|file|data):/.test(source) ? new URL(source) : pathToFileURL(resolve(source));
}

/**
 * @param most null comes back for a file of more bytes
 * @throws Error where it is none: a pipe could be waited for without end
 */
export async function readFileUrl(
  url: URL,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const found = await stat(url);
  if (!found.isFile()) throw new Error("it is not a file");
  if (found.size > most) return null;
  return readFile(url, signal === undefined ? {} : { signal });
}

/** The build for Node: the one for browsers starts here too, but with more than one thread it fetches a file: URL. */
export function importOrtWasm(): Promise<typeof import("onnxruntime-web")> {
  return import("onnxruntime-web");
}
