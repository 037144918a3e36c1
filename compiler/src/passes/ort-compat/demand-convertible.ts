import { PareError } from "@pare/runtime/format";
import type { Graph } from "../../ir/index.js";

/**
 * onnxruntime's quantizer converts models of an opset below 10 with onnx's own converter, whose names are its own, writes
 * opset 10 without DynamicQuantizeLinear, and gives models in float16 scales in float16: none of that is written here.
 * @throws PareError UNSUPPORTED_OP
 */
export function demandConvertible(graph: Graph, pass: string): void {
  const opset = graph.opset() ?? 1;
  if (opset < 11)
    throw new PareError(
      "UNSUPPORTED_OP",
      `${pass} writes what onnxruntime's quantizer makes of models from opset 11 on; this one is in opset ${opset}.`,
      { where: pass, hint: "Convert it first: pare convert --opset 13." },
    );
  for (const node of graph.allNodes())
    if (node.domain === "com.microsoft" && refused.has(node.op))
      throw new PareError(
        "UNSUPPORTED_OP",
        `${pass} does not write what onnxruntime's quantizer makes of ${node.op}.`,
        { where: graph.nodeLabel(node), hint: "Quantize the model as it was before it was fused." },
      );
  for (const { type, constant } of graph.allValues())
    if (constant !== undefined && type.kind === "tensor" && type.dtype === "float16")
      throw new PareError(
        "UNSUPPORTED_OP",
        `${pass} does not write what onnxruntime's quantizer makes of float16.`,
        { where: pass, hint: "Quantize the model as it was in float32." },
      );
}

const refused: ReadonlySet<string> = new Set(["Attention", "EmbedLayerNormalization"]);
