import type { ModelSource } from "../format/engine/backend.js";
import type { ModelBytes } from "./ort-session.js";

/** All of a model and of its external data. */
export async function readSource(
  source: Exclude<ModelSource, { path: string }>,
): Promise<ModelBytes> {
  const external = new Map<string, Uint8Array>();
  for (const [location, bytes] of source.external)
    external.set(location, await bytes.read(0, bytes.size));
  return { model: await source.proto.read(0, source.proto.size), external };
}
