import type { Artifact } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Sizes } from "./sizes.js";
import type { Target } from "./target.js";

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
  return artifact.format === target.format ? artifact : target.emit(await graph(), {}, sizes);
}
