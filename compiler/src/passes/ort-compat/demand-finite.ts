import { PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../../ir/index.js";

/**
 * Of a constant that is infinite the tool's scale is so too. Masks at the end of what float32 counts it takes.
 * @throws PareError UNSUPPORTED_OP
 */
export function demandFinite(graph: Graph, value: ValueId, values: Float32Array): void {
  if (values.every((number) => Number.isFinite(number))) return;
  const { name } = graph.value(value);
  throw new PareError(
    "UNSUPPORTED_OP",
    `${JSON.stringify(name)} has numbers that are not finite: onnxruntime's quantizer makes nothing of them that works.`,
    {
      where: name,
      hint: "Quantize without --ort-compat: such nodes stay as they are.",
    },
  );
}
