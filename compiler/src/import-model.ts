import type { ByteSource } from "@pare/runtime/format";
import type { Graph } from "./ir/index.js";
import { decodeModel } from "./onnx/index.js";
import { inferNode } from "./ops/index.js";

/** A model's bytes, by the format that they are in; each format is read by a room of its own. */
export type ModelSource = OnnxSource;

export interface OnnxSource {
  readonly format: "onnx";
  readonly proto: ByteSource;
  /** Files of external data by location. */
  readonly external: ReadonlyMap<string, ByteSource>;
}

/**
 * A graph of whatever was given, with the types of what its nodes make. Large tensors stay where they are until they
 * are read.
 * @throws PareError MODEL_*, EXTERNAL_DATA, ABORTED
 */
export async function importModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Graph> {
  switch (source.format) {
    case "onnx":
      return decodeModel(source, { infer: inferNode, ...(signal && { signal }) });
    default:
      return source.format satisfies never;
  }
}
