import type { Feeds, Tensors } from "../tensor/tensor.js";
import type { ValueInfo } from "../tensor/value-info.js";
import type { Artifact } from "./artifact.js";
import type { Reduced, ReduceOptions, Reduction } from "./reduction.js";
import type { DeviceFeature } from "./requirements.js";

export const targetNames = ["aot", "wasm", "webgpu", "cpu", "webnn"] as const;
export type TargetName = (typeof targetNames)[number];

export interface LoadOptions {
  /** 1 where not given. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The outputs belong to the caller. */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Tensors>;
  /** `reduceOutputs` where the engine is: only what is wanted of outputs is sent. */
  reduce?(
    samples: AsyncIterable<Tensors>,
    reductions: readonly Reduction[],
    options: ReduceOptions,
  ): Promise<readonly Reduced[]>;
  dispose(): Promise<void>;
}

/** Loads what a target emits and runs feeds; the compiler is handed one and never imports an engine. */
export interface Executor {
  load(artifact: Artifact, options?: LoadOptions): Promise<Session>;
}

/** What a backend finds here: the engine with its version, or why it cannot run. */
export type Probe =
  | {
      readonly ok: true;
      /** `onnxruntime-web 1.30.0 (WebGPU: google swiftshader)` */
      readonly engine: string;
      /** The GPU is emulated on the CPU: right answers, worthless times. */
      readonly software?: boolean;
      /** What the device adds to what WebAssembly itself shows: `shader-f16`. */
      readonly features?: readonly DeviceFeature[];
    }
  | { readonly ok: false; readonly why: string };

/** One target on one engine; a value that the caller passes, so that a bundler drops what is not used. */
export interface Backend extends Executor {
  readonly target: TargetName;
  /** The npm package of the engine. */
  readonly engine: string;
  probe(): Promise<Probe>;
}
