import type { Artifact, ArtifactFormat, TargetName } from "@pare/runtime/format";
import { onnxArtifact } from "@pare/runtime/format";
import type { OpenedModel } from "./opened-model.js";

/**
 * A model as targets load it: the ONNX file that it is, or a module that it is compiled to. Each is made once, when it is
 * first asked for.
 * @returns what throws PareError UNSUPPORTED_OP with every reason, MODEL_LIMIT where the model cannot be compiled
 */
export function artifactsOf(model: OpenedModel): (target: TargetName) => Promise<Artifact> {
  const made = new Map<ArtifactFormat, Promise<Artifact>>();
  return async (target) => {
    const { findTarget } = await import("@pare/compiler");
    const found = findTarget(target);
    const artifact =
      made.get(found.format) ??
      (found.format === "onnx"
        ? model.read().then(({ bytes }) => onnxArtifact(bytes))
        : found.emit(model.graph, {}));
    made.set(found.format, artifact);
    return artifact;
  };
}
