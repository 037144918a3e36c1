import type { Proposal } from "./target.js";

type Step = Proposal["steps"][number];

const plain = { session: {}, features: [] } as const;

/** Integer activations and weights; what stays float is stored as int8 and decoded when the model is loaded. */
export function int8Static(
  name: string,
  options: Readonly<Record<string, unknown>>,
  precision: "int8" | "mixed" = "int8",
): Proposal {
  return {
    name,
    precision,
    steps: [{ use: "quantize-static", with: options }, storedAsInt8()],
    needsData: true,
    withoutData: false,
    ...plain,
  };
}

/** Integer weights, activations rounded at each run; embeddings and convolutions stored as int8. */
export function int8Dynamic(options: Readonly<Record<string, unknown>> = {}): Proposal {
  return {
    name: "int8-dynamic",
    precision: "int8-dynamic",
    steps: [{ use: "quantize-dynamic", with: options }, storedAsInt8()],
    needsData: false,
    withoutData: false,
    ...plain,
  };
}

export function int8Weights(decode: "fold" | "dequantize"): Proposal {
  return {
    name: "int8-weights",
    precision: "int8-weights",
    steps: [storedAsInt8(decode)],
    needsData: false,
    withoutData: true,
    ...plain,
  };
}

export const fp16Weights: Proposal = {
  name: "fp16-weights",
  precision: "float16-weights",
  steps: [{ use: "fp16-weights" }],
  needsData: false,
  withoutData: true,
  ...plain,
};

function storedAsInt8(decode: "fold" | "dequantize" = "fold"): Step {
  return decode === "fold"
    ? { use: "quantize-weights" }
    : { use: "quantize-weights", with: { decode } };
}
