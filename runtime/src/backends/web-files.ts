import { isPareError, messageOf, type PareError } from "../format/error.js";
import { download, type DownloadOptions } from "../network/download.js";
import { pageAddress } from "../platform/page-address.js";
import { engine, fault, inBrowser, type WebBuild, type WebOptions } from "./web-build.js";

/** Where the engine's own files are; what is not known the engine finds by itself. */
export interface EngineFiles {
  readonly wasm?: URL | undefined;
  readonly mjs?: URL | undefined;
  /** The app said where the module is. */
  readonly given?: boolean;
}

/** Decoded. The largest has 28 MB. */
const wasmMaxBytes = 2 ** 27;

export function findFiles(build: WebBuild, paths: WebOptions["wasmPaths"] = {}): EngineFiles {
  if (!inBrowser()) return {};
  const { wasm, mjs } =
    typeof paths === "string"
      ? { wasm: `${paths}${build.file}.wasm`, mjs: `${paths}${build.file}.mjs` }
      : paths;
  return {
    wasm: wasm ? absolute(wasm) : bundled(build.wasm),
    mjs: mjs ? absolute(mjs) : bundled(build.mjs),
    given: mjs !== undefined,
  };
}

function absolute(place: string | URL): URL {
  return new URL(place, pageAddress());
}

/** What a bundler made of a literal `new URL("onnxruntime-web/…", import.meta.url)`; some leave it as it is. */
function bundled(place: () => URL): URL | undefined {
  try {
    const url = absolute(place());
    return url.pathname.includes("/onnxruntime-web/ort-") ? undefined : url;
  } catch {
    return undefined; // where a script has no URL
  }
}

/**
 * The engine's WebAssembly: fetched here, so that its bytes are counted and what is wrong is known before the engine, which
 * never starts again once it failed, is asked to.
 * @throws PareError ENGINE_NOT_FOUND, ENGINE_PAGE, NETWORK
 */
export async function fetchWasm(
  url: URL,
  options: Pick<DownloadOptions, "onBytes" | "fetch" | "signal">,
): Promise<Uint8Array> {
  try {
    const bytes = await download(url, { most: wasmMaxBytes, ...options });
    if (String.fromCharCode(...bytes.subarray(0, 4)) === "\0asm") return bytes;
  } catch (cause) {
    throw isPareError(cause) && cause.code === "BUNDLE_NOT_FOUND"
      ? notFound(cause, url.href)
      : cause;
  }
  throw aPage(undefined, url.href);
}

/** @throws PareError ENGINE_NOT_FOUND */
export async function demandModule(url: URL | undefined): Promise<void> {
  try {
    if (url === undefined) throw new Error("no .mjs is known");
    await import(/* @vite-ignore */ /* webpackIgnore: true */ url.href);
  } catch (cause) {
    throw notFound(cause, url?.href);
  }
}

export function notFound(cause: unknown, where?: string): PareError {
  return fault(
    "ENGINE_NOT_FOUND",
    `cannot find its own files: ${messageOf(cause)}`,
    "Say in wasmPaths where its wasm and mjs are.",
    cause,
    where,
  );
}

export function aPage(cause?: unknown, where?: string): PareError {
  return fault(
    "ENGINE_PAGE",
    "got a page in place of its .wasm file",
    `Say in wasmPaths where it is; in Vite's server, add ${engine} to optimizeDeps.exclude.`,
    cause,
    where,
  );
}
