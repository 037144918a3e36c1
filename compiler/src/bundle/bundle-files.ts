import {
  type Artifact,
  bundleFormatVersion,
  type BundleFile,
  bundleJson,
  type Golden,
  isModuleName,
  type Manifest,
  parseGolden,
  parseManifest,
  PareError,
  fileHash,
  sha256,
  type VariantEntry,
} from "@pare/runtime/format";
import { loaderFiles } from "./loader-module.js";
import { statePairs } from "./state-pairs.js";
import { indexModule, indexTypes, packageJson, webModule, webTypes } from "./index-module.js";

/** A variant as its manifest entry without what its artifact says, and the artifact. */
export interface BundleVariant extends Omit<
  VariantEntry,
  "files" | "format" | "session" | "requires"
> {
  /** External data must be named by its hash: see `externalLocation`. */
  readonly artifact: Artifact;
}

export interface BundleInput extends Pick<
  Manifest,
  "name" | "createdBy" | "inputs" | "outputs" | "state" | "source" | "baselines"
> {
  readonly variants: readonly BundleVariant[];
  readonly golden: Golden;
  /** Files beside the bundle's own, by name: `pare.lock.json`, `report.json`, `report.md`, `report.html`. */
  readonly extra?: Readonly<Record<string, string | Uint8Array>>;
}

/** Puts a bundle somewhere, all or nothing: after a crash there is the old one or the new one. */
export interface BundleSink {
  /** @param files by path, in the order in which they are to appear; the manifest is the last */
  write(files: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

/** The name by which a model must refer to external data so that it can lie in a bundle. */
export async function externalLocation(
  bytes: Uint8Array,
  ending: "bin" | "wasm" = "bin",
): Promise<string> {
  return `${await fileHash(bytes)}.${ending}`;
}

/**
 * All files of a bundle by path, the manifest last. Pure: the same input, the same bytes.
 * @throws PareError BUNDLE_INVALID when what is given would not be read back
 */
export async function bundleFiles(input: BundleInput): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const variants: VariantEntry[] = [];
  for (const { artifact, ...entry } of input.variants) {
    const [model, ...external] = artifact.files;
    const parts = [await addressed(files, model.bytes, artifact.format)];
    for (const { name: location, bytes } of external) {
      // A second module is one to servers too.
      const ending = isModuleName(location) ? "wasm" : "bin";
      if (location !== (await externalLocation(bytes, ending))) {
        throw new PareError(
          "BUNDLE_INVALID",
          `Variant ${entry.id} names its external data ${location}, not by its hash.`,
          { where: entry.id },
        );
      }
      parts.push(await addressed(files, bytes, ending));
    }
    variants.push(entryOf(entry, artifact, parts));
  }
  const golden = parseGolden(input.golden);
  const goldenBytes = utf8(bundleJson(golden));
  const goldenHash = await sha256(goldenBytes);
  const goldenFile: BundleFile = {
    path: `golden-${goldenHash}.json`,
    bytes: goldenBytes.length,
    sha256: goldenHash,
  };
  const hashes = variants.flatMap((variant) => variant.files.map((file) => file.sha256)).sort();
  const { name, createdBy, inputs, outputs, source, baselines } = input;
  const { state = statePairs(inputs, outputs) } = input;
  const manifest = parseManifest({
    formatVersion: bundleFormatVersion,
    name,
    identity: await sha256(utf8([...hashes, goldenFile.sha256].join("\n"))),
    createdBy,
    inputs,
    outputs,
    ...(Object.keys(state).length > 0 && { state }),
    variants,
    golden: goldenFile,
    source,
    baselines,
  } satisfies Manifest);

  for (const [path, content] of Object.entries(input.extra ?? {}))
    files.set(path, typeof content === "string" ? utf8(content) : content);
  files.set("package.json", utf8(packageJson(manifest)));
  files.set("index.js", utf8(indexModule(manifest, golden)));
  files.set("index.d.ts", utf8(indexTypes(manifest)));
  files.set("web.js", utf8(webModule(manifest, golden)));
  files.set("web.d.ts", utf8(webTypes));
  const compiled = variants.find(({ format }) => format === "wasm");
  const module = files.get(compiled?.files[0]?.path ?? "");
  if (compiled !== undefined && module !== undefined)
    for (const [path, text] of loaderFiles(compiled, module, manifest)) files.set(path, utf8(text));
  files.set(goldenFile.path, goldenBytes);
  // For readers of the first format.
  files.set("golden.json", goldenBytes);
  files.set("manifest.json", utf8(bundleJson(manifest)));
  return files;
}

async function addressed(
  files: Map<string, Uint8Array>,
  bytes: Uint8Array,
  extension: string,
): Promise<BundleFile> {
  const hash = await fileHash(bytes);
  const path = `variants/${hash}.${extension}`;
  files.set(path, bytes);
  return { path, bytes: bytes.length, sha256: hash };
}

/** The entry with its fields in the format's order, so that the manifest's bytes do not depend on the caller's. */
function entryOf(
  entry: Omit<BundleVariant, "artifact">,
  { format, session, requires }: Artifact,
  files: readonly BundleFile[],
): VariantEntry {
  const { id, target, precision, evidence, accuracy, latencyMs, tolerance } = entry;
  return {
    id,
    target,
    precision,
    evidence,
    format,
    files,
    requires,
    session,
    accuracy,
    latencyMs,
    tolerance,
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
