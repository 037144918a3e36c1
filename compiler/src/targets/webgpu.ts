import type { Dtype } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { emitOnnx } from "./emit-onnx.js";
import { lookUp } from "./kernel-table.js";
import { fp16Weights, int8Weights, ofRepeats } from "./proposals.js";
import { webgpuKernels } from "./tables/webgpu.js";
import type { Proposal, Target } from "./target.js";
import { workloadOf } from "../analysis/workload.js";

/** onnxruntime-web on WebGPU: no integer arithmetic, which would go to the CPU with a copy per layer. */
export const webgpu: Target = {
  name: "webgpu",
  label: "webgpu (onnxruntime-web)",
  format: "onnx",
  supports: (op, domain, types) =>
    lookUp(webgpuKernels, op, domain, types, "it runs on the CPU, with a copy each way"),
  propose(graph) {
    const { weightBytes } = workloadOf(graph);
    if (weightBytes === 0) return [];
    const repeats = ofRepeats(graph, "dequantize");
    return [half(graph), int8Weights("dequantize"), ...repeats, fp16Weights];
  },
  // Opset 21 as it is: from 22 on the provider gives GlobalAveragePool and others to the CPU.
  emit: (graph, session) =>
    emitOnnx(graph, session, computesInHalf(graph) ? ["webgpu", "shader-f16"] : ["webgpu"]),
};

/** All in float16, apart from operators that only the CPU would take so. */
function half(graph: Graph): Proposal {
  const keepFloat = new Set<string>();
  for (const node of graph.allNodes()) {
    const types: readonly (Dtype | undefined)[] = node.inputs.map((input) => {
      const type = input === null ? undefined : graph.value(input).type;
      return type?.kind === "tensor"
        ? type.dtype === "float32"
          ? "float16"
          : type.dtype
        : undefined;
    });
    if (types.includes("float16") && !lookUp(webgpuKernels, node.op, node.domain, types, "").ok)
      keepFloat.add(node.op);
  }
  const options =
    keepFloat.size === 0 ? {} : { with: { keepFloat: { ops: [...keepFloat].sort() } } };
  return {
    name: "fp16",
    precision: "float16",
    group: { steps: [{ use: "fp16", ...options }], required: false },
    withoutData: false,
  };
}

/** Rows of a table that are fetched in float16 and cast are no arithmetic. */
function computesInHalf(graph: Graph): boolean {
  for (const node of graph.allNodes()) {
    if (node.op === "Cast" || node.op === "Gather") continue;
    for (const id of node.outputs) {
      const type = id === null ? undefined : graph.value(id).type;
      if (type?.kind === "tensor" && type.dtype === "float16") return true;
    }
  }
  return false;
}
