import { decodeModel, type Graph, inferNode } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";

/** The graph of an ONNX file that has all of its weights, as students and teachers are handed on. */
export function wholeGraph(file: Uint8Array): Promise<Graph> {
  return decodeModel({ proto: byteSource(file), external: new Map() }, { infer: inferNode });
}
