import type { Dtype } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { lookUp } from "./kernel-table.js";
import { fp16Weights, int8Weights } from "./proposals.js";
import { webgpuKernels } from "./tables/webgpu.js";
import type { Proposal, Target } from "./target.js";
import { workloadOf } from "../analysis/workload.js";

/** onnxruntime-web on WebGPU: no integer arithmetic, which would go to the CPU with a copy per layer. */
export const webgpu: Target = {
  name: "webgpu",
  label: "webgpu (onnxruntime-web)",
  supports: (op, domain, types) =>
    lookUp(webgpuKernels, op, domain, types, "it runs on the CPU, with a copy each way"),
  propose(graph) {
    const { weightBytes } = workloadOf(graph);
    if (weightBytes === 0) return [];
    return [half(graph), int8Weights("dequantize"), fp16Weights];
  },
  lower() {
    // Opset 21 as it is: from 22 on the provider gives GlobalAveragePool and others to the CPU.
  },
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
  const options = keepFloat.size === 0 ? {} : { with: { keepFloat: [...keepFloat].sort() } };
  return {
    name: "fp16",
    precision: "float16",
    steps: [{ use: "fp16", ...options }],
    needsData: false,
    withoutData: false,
    session: {},
    features: ["shader-f16"],
  };
}
