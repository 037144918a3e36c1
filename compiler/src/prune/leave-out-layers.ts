import { edit, type Graph, type ValueId } from "../ir/index.js";
import type { RepeatedLayer } from "../analysis/repeated-layers.js";

/** Lets what follows a layer read what the layer read, for each layer that is not kept. */
export function leaveOutLayers(
  graph: Graph,
  layers: readonly RepeatedLayer[],
  kept: readonly number[],
): void {
  edit(graph, "drop-layers", (editor) => {
    /** What stands now for what a layer gave. */
    const instead = new Map<ValueId, ValueId>();
    for (const [index, { input, output }] of layers.entries()) {
      if (kept.includes(index)) continue;
      const before = instead.get(input) ?? input;
      instead.set(output, before);
      editor.replace(output, before, `layer ${index} of ${layers.length} left out`);
    }
  });
}
