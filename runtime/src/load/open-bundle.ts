import { pageAddress } from "../platform/page-address.js";
import { locate } from "#platform";
import type { BundleModule } from "../format/bundle/bundle-module.js";
import type { Fetch } from "../format/engine/backend.js";
import { type ErrorCode, messageOf, PareError } from "../format/error.js";
import type { BundleFile, Golden } from "../format/bundle/manifest.js";
import {
  bundleJson,
  damaged,
  parseGolden,
  parseRunnable,
  type Runnable,
} from "../format/bundle/parse-runnable.js";
import { sha256 } from "../format/sha256.js";
import { download, type DownloadOptions } from "../network/download.js";

/** What `load` takes; a module's namespace, as `await import(…)` gives it, means its default export. */
export type BundleSource<
  Inputs extends object = object,
  Outputs extends object = object,
  State extends object = object,
> =
  | string
  | URL
  | BundleModule<Inputs, Outputs, State>
  | { readonly default: BundleModule<Inputs, Outputs, State> };

interface OpenOptions {
  /** sha256 of manifest.json: 64 hex digits, with or without `sha256-` before them. */
  readonly integrity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: Fetch | undefined;
}

/** A bundle whose manifest is sound; everything else is read, and checked, when it is needed. */
export interface OpenBundle {
  readonly manifest: Runnable;
  readonly fetch: Fetch | undefined;
  /** @throws PareError when the golden check is damaged or missing */
  golden(signal?: AbortSignal): Promise<Golden>;
  /** Where one of the manifest's files lies. */
  locate(file: BundleFile): URL;
}

/** Decoded. A manifest has some ten kilobytes. */
const manifestMaxBytes = 4 * 2 ** 20;

/** @throws PareError BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_VERSION, INTEGRITY, NETWORK, ABORTED, ARGUMENT */
export function openBundle(source: BundleSource, options: OpenOptions): Promise<OpenBundle> {
  if (typeof source === "string" || has(source, "href")) return openFolder(String(source), options);
  const module: unknown = has(source, "default") ? source.default : source;
  if (isModule(module)) return openModule(module, options);
  throw noBundle("ARGUMENT");
}

function noBundle(code: ErrorCode, where?: string): PareError {
  return new PareError(code, "load was given no bundle.", {
    where,
    hint: "Pass a bundle's address, or what its index.js exports.",
  });
}

function isModule(value: unknown): value is BundleModule {
  return has(value, "manifest") && has(value, "files");
}

function has<Key extends string>(value: unknown, key: Key): value is Record<Key, unknown> {
  return typeof value === "object" && value !== null && key in value;
}

async function openFolder(
  source: string,
  { integrity, signal, fetch }: OpenOptions,
): Promise<OpenBundle> {
  const url = manifestUrl(source);
  const missing = (why: string): PareError =>
    new PareError("BUNDLE_NOT_FOUND", why, {
      where: url.href,
      hint: "Is it among the static files, in public/?",
    });
  const options = { most: manifestMaxBytes, signal, fetch };
  const bytes = await download(url, options).catch((error: PareError) => {
    throw error.code === "BUNDLE_NOT_FOUND" ? missing(error.message) : error;
  });
  if (/^\s*</.test(new TextDecoder().decode(bytes)))
    throw missing("The server answered a page instead of a manifest.");
  await demandIntegrity(bytes, integrity, url.href);
  const bundle = {
    manifest: parseRunnable(parseJson(bytes, "manifest.json")),
    fetch,
    locate: (file: BundleFile): URL => new URL(file.path, url),
  };
  return {
    ...bundle,
    async golden(abort) {
      const json = await readVerified(bundle, bundle.manifest.golden, abort);
      return parseGolden(parseJson(json, "golden.json"));
    },
  };
}

async function openModule(
  module: BundleModule,
  { integrity, fetch }: OpenOptions,
): Promise<OpenBundle> {
  const manifest = parseRunnable(module.manifest);
  await demandIntegrity(
    new TextEncoder().encode(bundleJson(module.manifest)),
    integrity,
    "the bundle's index.js",
  );
  return {
    manifest,
    fetch,
    locate({ path }) {
      const place = module.files[path];
      if (place === undefined)
        throw new PareError("BUNDLE_NOT_FOUND", `The bundle's index.js does not name ${path}.`, {
          where: path,
        });
      return new URL(String(place), pageAddress()); // what bundlers make of a URL may only look like one
    },
    async golden() {
      const golden = parseGolden(module.golden);
      const hash = await sha256(new TextEncoder().encode(bundleJson(golden)));
      if (hash !== manifest.golden.sha256) throw mismatch("golden.json");
      return golden;
    },
  };
}

/**
 * The bytes of one of a bundle's files.
 * @throws PareError INTEGRITY when they are not those that the manifest names; as download
 */
export async function readVerified(
  { locate: find, fetch }: Pick<OpenBundle, "locate" | "fetch">,
  file: BundleFile,
  signal?: AbortSignal,
  onBytes?: DownloadOptions["onBytes"],
): Promise<Uint8Array> {
  const bytes = await download(find(file), { bytes: file.bytes, signal, onBytes, fetch });
  if (bytes.length !== file.bytes)
    throw mismatch(file.path, `has ${bytes.length} bytes instead of ${file.bytes}`);
  if ((await sha256(bytes)) !== file.sha256) throw mismatch(file.path);
  return bytes;
}

function mismatch(where: string, what = "is damaged: its sha256 is not the manifest's"): PareError {
  return new PareError("INTEGRITY", `${where} ${what}.`, {
    where,
    hint: "Copy the bundle again, as it is.",
  });
}

async function demandIntegrity(
  bytes: Uint8Array,
  integrity: string | undefined,
  where: string,
): Promise<void> {
  if (integrity === undefined) return;
  const hash = await sha256(bytes);
  if (integrity.replace(/^sha256-/, "").toLowerCase() !== hash)
    throw mismatch(where, `has sha256 ${hash}, not the one that was pinned`);
}

/** @throws PareError BUNDLE_NOT_FOUND for what is no URL, or one that nothing lies beside: a data: or blob: URL */
function manifestUrl(source: string): URL {
  try {
    const folder = locate(source);
    folder.pathname = folder.pathname.replace(/\/(manifest\.json)?$/, "") + "/";
    return new URL("manifest.json", folder);
  } catch {
    throw noBundle("BUNDLE_NOT_FOUND", source);
  }
}

function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(where, messageOf(cause));
  }
}
