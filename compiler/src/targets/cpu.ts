import { emitOnnx } from "./emit-onnx.js";
import { lookUp } from "./kernel-table.js";
import { fp16Weights, int8Dynamic, int8Static, int8Weights, ofRepeats } from "./proposals.js";
import { cpuKernels } from "./tables/cpu.js";
import type { Proposal, Target } from "./target.js";
import { workloadOf } from "../analysis/workload.js";

/** onnxruntime-node on the CPU: integers pay for convolutions and matrices alike; 7-bit weights suit every x86. */
export const cpu: Target = {
  name: "cpu",
  label: "cpu (onnxruntime-node)",
  format: "onnx",
  supports: (op, domain, types) =>
    lookUp(cpuKernels, op, domain, types, "the engine refuses the model"),
  propose(graph) {
    const { full, pointwise, depthwise, matmul, matmulShare, weightBytes } = workloadOf(graph);
    const convolutions = full + pointwise + depthwise;
    // First what is as fast as float and a quarter of it: a time budget must not end before that.
    const proposals: Proposal[] = weightBytes > 0 ? [int8Weights("fold")] : [];
    proposals.push(...ofRepeats(graph, "fold"));
    if (matmulShare > 0.5) proposals.push(int8Dynamic());
    if (convolutions + matmul > 0) proposals.push(int8Static("int8-static", {}));
    if (convolutions > 0) {
      // Depthwise convolutions are no faster in int8, and lose the most.
      const mixed = { ranges: "mse", convolutions: ["full", "pointwise"] };
      proposals.push(
        int8Static("int8-static-mse", mixed),
        int8Static("int8-mixed", { ...mixed, inputs: "float", outputs: "float" }, "mixed"),
      );
      if (matmul > 0 && matmulShare <= 0.5) proposals.push(int8Dynamic());
    }
    if (weightBytes > 0) proposals.push(fp16Weights);
    return proposals;
  },
  // Opset 21 as it is: the fusions of this engine come out the same from 17 to 23.
  emit: (graph, session) => emitOnnx(graph, session, []),
};
