import type { TargetName } from "@pare/runtime/format";

/** The engines that train: a rule may be written in other operators for each. */
export type TrainingEngine = Extract<TargetName, "cpu" | "wasm" | "webgpu">;
