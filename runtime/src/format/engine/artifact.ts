import { sha256 } from "../sha256.js";
import type { Incoming } from "./incoming.js";
import type { Requirements } from "./requirements.js";
import type { SessionOptions } from "./session-options.js";

export const artifactFormats = ["onnx", "wasm"] as const;
/** `onnx`: a model that an engine interprets; `wasm`: a WebAssembly module that is the model. */
export type ArtifactFormat = (typeof artifactFormats)[number];

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the backend made of them while they came. */
  readonly incoming?: Incoming | undefined;
}

/** What a target loads. Two are the same when their files' bytes and their session options are. */
export interface Artifact {
  readonly format: ArtifactFormat;
  /** The first is the model; others are its external data, by the names that it uses. */
  readonly files: readonly [NamedBytes, ...NamedBytes[]];
  readonly session: SessionOptions;
  readonly requires: Requirements;
}

/** A model in one ONNX file, which asks nothing of the device. */
export function onnxArtifact(bytes: Uint8Array, session: SessionOptions = {}): Artifact {
  return {
    format: "onnx",
    files: [{ name: "model.onnx", bytes }],
    session,
    requires: { features: [] },
  };
}

/**
 * What a device downloads: of a compiled model's two modules it takes one, so that the larger counts, with what lies beside
 * them; of others all files, whatever they are called.
 * @param nameOf a file's name or path
 */
export function downloadedFiles<File extends { readonly bytes: number | Uint8Array }>(
  { format, files }: { readonly format: ArtifactFormat; readonly files: readonly File[] },
  nameOf: (file: File) => string,
): readonly File[] {
  if (format !== "wasm") return files;
  const length = ({ bytes }: File): number => (typeof bytes === "number" ? bytes : bytes.length);
  const modules = files.filter((file) => isModuleName(nameOf(file)));
  const largest = modules.reduce<File | undefined>(
    (most, file) => (most !== undefined && length(most) >= length(file) ? most : file),
    undefined,
  );
  return files.filter((file) => file === largest || !modules.includes(file));
}

/** Whether it is a WebAssembly module by its name: of an artifact's files those of which a device needs one. */
export function isModuleName(name: string): boolean {
  return name.endsWith(".wasm");
}

/** Bytes that a device downloads. */
export function artifactBytes(artifact: Artifact): number {
  return downloadedFiles(artifact, ({ name }) => name).reduce(
    (sum, { bytes }) => sum + bytes.byteLength,
    0,
  );
}

/** A file by its content. */
export interface FileHash {
  readonly name: string;
  readonly sha256: string;
}

const hashes = new WeakMap<Uint8Array, Promise<string>>();

/** Its sha256. A file of an artifact does not change: a large one, which is asked for often, is hashed once. */
export function fileHash(bytes: Uint8Array): Promise<string> {
  const hash = hashes.get(bytes) ?? sha256(bytes);
  hashes.set(bytes, hash);
  return hash;
}

/** Of the artifact's files, in order. */
export async function fileHashes({ files }: Artifact): Promise<readonly FileHash[]> {
  return Promise.all(
    files.map(async ({ name, bytes }) => ({ name, sha256: await fileHash(bytes) })),
  );
}

/** sha256 over the files, their names and the session options: equal artifacts have equal identities. */
export async function artifactIdentity(artifact: Artifact): Promise<string> {
  const { format, session } = artifact;
  const options = Object.entries(session).sort(([a], [b]) => (a < b ? -1 : 1));
  const files = (await fileHashes(artifact)).map(({ name, sha256: hash }) => [name, hash]);
  const parts: unknown[] = [format, options, ...files];
  return sha256(new TextEncoder().encode(JSON.stringify(parts)));
}
