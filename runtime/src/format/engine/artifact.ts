import { sha256 } from "../sha256.js";
import type { Requirements } from "./requirements.js";
import type { SessionOptions } from "./session-options.js";

export const artifactFormats = ["onnx", "wasm"] as const;
/** `onnx`: a model that an engine interprets; `wasm`: a WebAssembly module that is the model. */
export type ArtifactFormat = (typeof artifactFormats)[number];

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
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

export function artifactBytes({ files }: Artifact): number {
  return files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** sha256 over the files, their names and the session options: equal artifacts have equal identities. */
export async function artifactIdentity({ format, files, session }: Artifact): Promise<string> {
  const parts: unknown[] = [format, Object.entries(session).sort(([a], [b]) => (a < b ? -1 : 1))];
  for (const { name, bytes } of files) parts.push([name, await sha256(bytes)]);
  return sha256(new TextEncoder().encode(JSON.stringify(parts)));
}
