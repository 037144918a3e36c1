import { PareError } from "../format/error.js";

/** A bundle's address as the caller wrote it: a URL, relative to the page or worker. */
export function locate(source: string): URL {
  try {
    return new URL(source, globalThis.location?.href);
  } catch (cause) {
    throw new PareError("BUNDLE_NOT_FOUND", `"${source}" is not a URL.`, { where: source, cause });
  }
}

export function readFileUrl(url: URL): Promise<Uint8Array<ArrayBuffer> | null> {
  return Promise.reject(
    new PareError("NETWORK", "A page cannot read file: URLs.", {
      where: url.href,
      hint: "Serve the bundle over http.",
    }),
  );
}

/** The smallest build of onnxruntime-web that runs models in WebAssembly. */
export function importOrtWasm(): Promise<typeof import("onnxruntime-web")> {
  return import("onnxruntime-web/wasm");
}
