import { PareError } from "../format/error.js";
import { pageAddress } from "./page-address.js";

/** A bundle's address as the caller wrote it: a URL, relative to the page or worker. Throws for what is none. */
export function locate(source: string): URL {
  return new URL(source, pageAddress());
}

export function readFileUrl(url: URL): Promise<Uint8Array<ArrayBuffer> | null> {
  return Promise.reject(
    new PareError("NETWORK", "A page cannot read file: URLs.", {
      where: url.href,
      hint: "Serve the bundle over http.",
    }),
  );
}

/** Memory in all, as far as a page may know: Chromium rounds it, and at 8 GiB there may be more. */
export function deviceMemoryBytes(): number | undefined {
  const navigator = globalThis.navigator as { readonly deviceMemory?: number } | undefined;
  const gibibytes = navigator?.deviceMemory ?? 8;
  return gibibytes < 8 ? gibibytes * 2 ** 30 : undefined;
}
