import { byteSource, type ModelSource } from "@pare/runtime/format";
import type { WireModel } from "./protocol.js";

export function sourceOf(model: WireModel): ModelSource {
  if ("path" in model) return model;
  return {
    proto: byteSource(model.proto),
    external: new Map(
      Object.entries(model.external).map(([location, bytes]) => [location, byteSource(bytes)]),
    ),
  };
}

/** Messages carry only memory of their own, neither shared nor a window on something larger. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : Uint8Array.from(bytes);
}

/** A model with everything it consists of in memory. */
export interface ModelBytes {
  readonly proto: Uint8Array<ArrayBuffer>;
  readonly external: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/**
 * Reads a whole model. A model given as a path is read from there without external data; one that has some is given
 * as bytes with its external data by location.
 */
export async function readModel(
  model: ModelSource,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<ModelBytes> {
  if ("path" in model) return { proto: owned(await readFile(model.path)), external: {} };
  const external: [string, Uint8Array<ArrayBuffer>][] = [];
  for (const [location, source] of model.external)
    external.push([location, owned(await source.read(0, source.size))]);
  return {
    proto: owned(await model.proto.read(0, model.proto.size)),
    external: Object.fromEntries(external),
  };
}
