/** Where most of a model's work is: what integers are worth depends on it. */
export type OperatorMix = "convolutions" | "depthwise" | "matrices" | "other";

/** Place of a target: engines on the CPU differ by processor. */
export type GainPlace = "cpu exact" | "cpu saturating" | "wasm" | "webgpu" | "aot";

/** What one model showed. Accepted is null where it was turned down before its accuracy was known. */
export type MeasuredGain = readonly [
  place: GainPlace,
  name: string,
  mix: OperatorMix,
  model: string,
  latency: number,
  size: number,
  accepted: boolean | null,
];
