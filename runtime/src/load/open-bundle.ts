import { locate } from "#platform";
import type { BundleModule } from "../format/bundle/bundle-module.js";
import { isPareError, messageOf, PareError } from "../format/error.js";
import type { BundleFile, Golden, Manifest } from "../format/bundle/manifest.js";
import { bundleJson, parseGolden, parseManifest } from "../format/bundle/parse-manifest.js";
import { sha256 } from "../format/sha256.js";
import { download } from "./download.js";

/** A bundle whose manifest is sound; everything else is read, and checked, when it is needed. */
export interface OpenBundle {
  readonly manifest: Manifest;
  /** @throws PareError when the golden check is damaged or missing */
  golden(signal?: AbortSignal): Promise<Golden>;
  /** Where one of the manifest's files lies. */
  locate(file: BundleFile): URL;
}

/** Decoded. A manifest has some ten kilobytes. */
const manifestMaxBytes = 4 * 2 ** 20;

/**
 * @param integrity sha256 of manifest.json: 64 hex digits, with or without `sha256-` before them
 * @throws PareError BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_VERSION, INTEGRITY, NETWORK, ABORTED
 */
export async function openBundle(
  source: string | URL | BundleModule,
  integrity: string | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenBundle> {
  if (typeof source === "object" && "manifest" in source) return openModule(source, integrity);
  const base = folderOf(typeof source === "string" ? locate(source) : source);
  const url = new URL("manifest.json", base);
  const bytes = await download(url, { most: manifestMaxBytes, signal });
  const text = new TextDecoder().decode(bytes);
  if (/^\s*</.test(text)) {
    throw new PareError(
      "BUNDLE_NOT_FOUND",
      "The server answered with a page instead of a manifest.",
      {
        where: url.href,
        hint: "Put the bundle where the server finds static files (in most frameworks the folder named public), and check the URL.",
      },
    );
  }
  await demandIntegrity(bytes, integrity, url.href);
  const manifest = parseManifest(parseJson(text, url.href));
  const find = (file: BundleFile): URL => new URL(file.path, base);
  return {
    manifest,
    locate: find,
    async golden(abort) {
      const json = await readVerified(find(manifest.golden), manifest.golden, abort);
      return parseGolden(parseJson(new TextDecoder().decode(json), "golden.json"));
    },
  };
}

async function openModule(
  module: BundleModule,
  integrity: string | undefined,
): Promise<OpenBundle> {
  const manifest = parseManifest(module.manifest);
  await demandIntegrity(
    new TextEncoder().encode(bundleJson(module.manifest)),
    integrity,
    "the bundle's index.js",
  );
  return {
    manifest,
    locate({ path }) {
      const place = module.files[path];
      if (place === undefined)
        throw new PareError("BUNDLE_NOT_FOUND", `The bundle's index.js does not name ${path}.`, {
          where: path,
        });
      return new URL(String(place), globalThis.location?.href); // what bundlers make of a URL may only look like one
    },
    async golden() {
      const golden = parseGolden(module.golden);
      const hash = await sha256(new TextEncoder().encode(bundleJson(golden)));
      if (hash !== manifest.golden.sha256) throw damaged("golden.json");
      return golden;
    },
  };
}

/**
 * The bytes of one of a bundle's files.
 * @throws PareError INTEGRITY when they are not those that the manifest names; as download
 */
export async function readVerified(
  url: URL,
  file: BundleFile,
  signal?: AbortSignal,
  onBytes?: (received: number) => void,
): Promise<Uint8Array> {
  const bytes = await download(url, { bytes: file.bytes, signal, onBytes });
  if (bytes.length !== file.bytes) {
    throw new PareError(
      "INTEGRITY",
      `${file.path} has ${bytes.length} bytes instead of ${file.bytes}.`,
      { where: file.path },
    );
  }
  if ((await sha256(bytes)) !== file.sha256) throw damaged(file.path);
  return bytes;
}

function damaged(path: string): PareError {
  return new PareError("INTEGRITY", `${path} is damaged: its sha256 is not the manifest's.`, {
    where: path,
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
  if (integrity.replace(/^sha256-/, "").toLowerCase() !== hash) {
    throw new PareError(
      "INTEGRITY",
      `The manifest has sha256 ${hash}, which is not the one that was pinned.`,
      { where },
    );
  }
}

function folderOf(url: URL): URL {
  const folder = new URL(url);
  folder.pathname = folder.pathname.replace(/\/(manifest\.json)?$/, "") + "/";
  return folder;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PareError(
      "BUNDLE_INVALID",
      `${where.split("/").pop()} is damaged: ${messageOf(cause)}.`,
      { where, cause },
    );
  }
}

/** Whether work must stop here, rather than go on with another variant. */
export function isAbort(error: unknown): boolean {
  return isPareError(error) && error.code === "ABORTED";
}
