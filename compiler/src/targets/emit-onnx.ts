import type { Artifact, DeviceFeature, SessionOptions } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { inEngineOpset } from "../passes/opset/engine-opset.js";

/** A graph as one ONNX file. */
export async function emitOnnx(
  graph: Graph,
  session: SessionOptions,
  features: readonly DeviceFeature[],
): Promise<Artifact> {
  const { proto } = await encodeModel(inEngineOpset(graph));
  return {
    format: "onnx",
    files: [{ name: "model.onnx", bytes: proto }],
    session,
    requires: { features },
  };
}
