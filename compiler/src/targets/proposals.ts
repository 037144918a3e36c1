import type { Precision } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Step } from "../pipeline/step.js";
import { convolveRepeats } from "../rules/repeats.js";
import type { Proposal } from "./target.js";

/** Integer activations and weights; what stays float is stored as int8 and decoded when the model is loaded. */
export function int8Static(
  name: string,
  options: Readonly<Record<string, unknown>>,
  precision: "int8" | "mixed" = "int8",
): Proposal {
  return {
    name,
    precision,
    group: { steps: [{ use: "quantize-static", with: options }, storedAsInt8()], required: false },
    withoutData: false,
  };
}

/** Integer weights, activations rounded at each run; embeddings and convolutions stored as int8. */
export function int8Dynamic(
  options: Readonly<Record<string, unknown>> = {},
  decode: "fold" | "dequantize" = "fold",
): Proposal {
  return {
    name: "int8-dynamic",
    precision: "int8-dynamic",
    group: {
      steps: [{ use: "quantize-dynamic", with: options }, storedAsInt8(decode)],
      required: false,
    },
    withoutData: false,
  };
}

export function int8Weights(decode: "fold" | "dequantize"): Proposal {
  return {
    name: "int8-weights",
    precision: "int8-weights",
    group: { steps: [storedAsInt8(decode)], required: false },
    withoutData: true,
  };
}

/** Where places are repeated and then convolved: fewer products in more weights, which can be stored smaller. */
export function ofRepeats(graph: Graph, decode: "fold" | "dequantize"): readonly Proposal[] {
  const applies = [...graph.allNodes()].some((node) => {
    const found = node.domain === "" && convolveRepeats.ops.includes(node.op);
    return found && convolveRepeats.match(graph, node) !== undefined;
  });
  if (!applies) return [];
  const step: Step = { use: "convolve-repeats" };
  return [
    proposal("convolve-repeats", "float32", [step]),
    proposal("convolve-repeats-int8", "int8-weights", [step, storedAsInt8(decode)]),
  ];
}

function proposal(name: string, precision: Precision, steps: readonly Step[]): Proposal {
  return { name, precision, group: { steps, required: false }, withoutData: true };
}

/** Half of what float64 takes, for engines that compute as wide as a model says. */
export const fp32: Proposal = {
  name: "fp32",
  precision: "float32",
  group: { steps: [{ use: "fp32" }], required: false },
  withoutData: true,
};

export const fp16Weights: Proposal = {
  name: "fp16-weights",
  precision: "float16-weights",
  group: { steps: [{ use: "fp16-weights" }], required: false },
  withoutData: true,
};

/** What stays float in the graph is stored as int8. */
export function storedAsInt8(decode: "fold" | "dequantize" = "fold"): Step {
  return decode === "fold"
    ? { use: "quantize-weights" }
    : { use: "quantize-weights", with: { decode } };
}
