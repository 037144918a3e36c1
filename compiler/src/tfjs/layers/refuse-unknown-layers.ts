import { PareError } from "@pare/runtime/format";
import { byKind } from "../by-kind.js";
import type { Layer } from "./layers-model.js";
import { layers } from "./table.js";

/** All at once: who has to do something about one wants to know of the others. @throws PareError UNSUPPORTED_OP */
export function refuseUnknownLayers(model: Layer): void {
  const open = [model];
  const unknown: { readonly kind: string; readonly name: string }[] = [];
  for (let layer = open.pop(); layer !== undefined; layer = open.pop()) {
    for (const inner of [...(layer.network?.layers.values() ?? [])].toReversed()) open.push(inner);
    if (layer.wrapped !== undefined) open.push(layer.wrapped);
    const isRead =
      layer.network !== undefined || layer.kind === "InputLayer" || layers.has(layer.kind);
    if (!isRead) unknown.push(layer);
  }
  const [first] = unknown;
  if (first === undefined) return;
  throw new PareError("UNSUPPORTED_OP", `Layers that are not read: ${byKind(unknown)}.`, {
    where: first.name,
    hint: "Convert the model to a graph model (tensorflowjs_converter --input_format tfjs_layers_model --output_format tfjs_graph_model), or the original to ONNX.",
  });
}
