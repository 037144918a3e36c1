import type { Artifact, SessionOptions } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Sizes } from "./sizes.js";
import type { Target } from "./target.js";

/**
 * Where weights are integers alone, onnxruntime makes MatMulNBits of a product, which rounds its other factor too. Asked about
 * a graph for what another engine loads, it is to compute what that says.
 */
const asItSays: SessionOptions = { foldDequantize: true };

/**
 * A graph as a target's engine loads it: the file that there is where the engine reads its format, so that two engines
 * are asked about the same bytes, or what the target makes of the graph. The graph is in its normal form.
 * @throws PareError UNSUPPORTED_OP
 */
export async function loadableOn(
  target: Target,
  artifact: Artifact,
  graph: () => Graph | Promise<Graph>,
  sizes: Sizes = {},
): Promise<Artifact> {
  if (artifact.format === target.format) return artifact;
  return target.emit(await graph(), target.format === "onnx" ? asItSays : {}, sizes);
}
