import { readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PareError } from "../format/error.js";
import type { ModelFile } from "./browser.js";

/** A bundle's address as the caller wrote it: a path, or a URL with its scheme. */
export function locate(source: string): URL {
  return /^(https?|file|data):/.test(source) ? new URL(source) : pathToFileURL(resolve(source));
}

export function readFileUrl(url: URL, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(url, signal === undefined ? {} : { signal });
}

/** The build for Node: the one for browsers starts here too, but with more than one thread it fetches a file: URL. */
export function importOrtWasm(): Promise<typeof import("onnxruntime-web")> {
  return import("onnxruntime-web");
}

/**
 * A model with the files of its folder that it names. Its external data is found by looking for the files'
 * names in the model's bytes, which needs no protobuf here; a name found by chance costs a read, nothing else.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const proto = await readFile(path).catch((cause: unknown) => {
    throw new PareError("MODEL_NOT_FOUND", "The model file cannot be opened.", {
      where: path,
      cause,
    });
  });
  const folder = dirname(resolve(path));
  const external = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (
      name.length > 3 &&
      proto.length < 1 << 28 &&
      includes(proto, new TextEncoder().encode(name))
    ) {
      const bytes = await readFile(join(folder, name)).catch(() => null);
      if (bytes !== null) external.set(name, bytes);
    }
  }
  return { proto, external };
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  const first = part[0] ?? 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
