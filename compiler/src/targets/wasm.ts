import { emitOnnx } from "./emit-onnx.js";
import { lookUp } from "./kernel-table.js";
import { fp16Weights, int8Dynamic, int8Static, int8Weights, ofRepeats } from "./proposals.js";
import { wasmKernels } from "./tables/wasm.js";
import type { Proposal, Target } from "./target.js";
import { workloadOf } from "../analysis/workload.js";

/** onnxruntime-web in WebAssembly: integers pay for full convolutions and for matrices of eight rows or more. */
export const wasm: Target = {
  name: "wasm",
  label: "wasm (onnxruntime-web)",
  format: "onnx",
  supports: (op, domain, types) =>
    lookUp(wasmKernels, op, domain, types, "the engine refuses the model"),
  propose(graph) {
    const { full, pointwise, matmul, weightBytes } = workloadOf(graph);
    // First what is as fast as float and a quarter of it: a time budget must not end before that.
    const proposals: Proposal[] = weightBytes > 0 ? [int8Weights("fold")] : [];
    proposals.push(...ofRepeats(graph, "fold"));
    // Its integer kernels do not saturate, so that all eight bits can be used.
    const int8 = { reduceRange: false, ranges: "mse" };
    if (full + matmul > 0)
      proposals.push(int8Static("int8-static", { ...int8, convolutions: ["full"] }));
    if (pointwise > 0) {
      const options = {
        ...int8,
        convolutions: ["full", "pointwise"],
        inputs: "float",
        outputs: "float",
      };
      proposals.push(int8Static("int8-mixed", options, "mixed"));
    }
    if (matmul > 0) proposals.push(int8Dynamic({ reduceRange: false }));
    if (weightBytes > 0) proposals.push(fp16Weights);
    return proposals;
  },
  emit: (graph, session) => emitOnnx(graph, session, ["simd"]),
};
