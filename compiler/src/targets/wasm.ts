import { lookUp } from "./kernel-table.js";
import { fp16Weights, int8Dynamic, int8Static, int8Weights } from "./proposals.js";
import { wasmKernels } from "./tables/wasm.js";
import type { Proposal, Target } from "./target.js";
import { workloadOf } from "./workload.js";

/** onnxruntime-web in WebAssembly: integers pay for full convolutions and for matrices of eight rows or more. */
export const wasm: Target = {
  name: "wasm",
  label: "wasm (onnxruntime-web)",
  supports: (op, domain, types) =>
    lookUp(wasmKernels, op, domain, types, "the engine refuses the model"),
  propose(graph) {
    const { full, pointwise, matmul, weightBytes } = workloadOf(graph);
    const proposals: Proposal[] = [];
    // Its integer kernels do not saturate, so that all eight bits can be used.
    if (full + matmul > 0)
      proposals.push(
        int8Static("int8-static", { weightBits: 8, ranges: "mse", convolutions: ["full"] }),
      );
    if (pointwise > 0)
      proposals.push(
        int8Static("int8-static-pointwise", {
          weightBits: 8,
          ranges: "mse",
          convolutions: ["full", "pointwise"],
        }),
      );
    if (matmul > 0) proposals.push(int8Dynamic({ weightBits: 8 }));
    if (weightBytes > 0) proposals.push(int8Weights("fold"), fp16Weights);
    return proposals;
  },
  lower() {
    // Opset 21 as it is.
  },
};
