import type { Feeds, Tensors } from "../tensor/tensor.js";
import type { ValueInfo } from "../tensor/value-info.js";

/** Bytes that are read where and when they are needed: a file, a Blob, a buffer. */
export interface ByteSource {
  readonly size: number;
  /** @throws PareError MODEL_TRUNCATED when the range does not lie inside */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A model as bytes with its external data by location, or as a path on this machine. */
export type ModelSource =
  | { readonly proto: ByteSource; readonly external: ReadonlyMap<string, ByteSource> }
  | { readonly path: string };

export const targetNames = ["aot", "wasm", "webgpu", "cpu", "webnn"] as const;
export type TargetName = (typeof targetNames)[number];

export interface LoadOptions {
  /** 1 where not given. */
  readonly threads?: number;
  /** Options of onnxruntime's session, as data: `graphOptimizationLevel`, `extra`, … */
  readonly session?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The outputs belong to the caller. */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Tensors>;
  dispose(): Promise<void>;
}

/** Loads a model and runs feeds; the compiler is handed one for calibration and never imports an engine. */
export interface Executor {
  load(model: ModelSource, options?: LoadOptions): Promise<Session>;
}

export const deviceFeatures = [
  "simd",
  "relaxed-simd",
  "threads",
  "shader-f16",
  "webgpu",
  "webnn",
] as const;
export type DeviceFeature = (typeof deviceFeatures)[number];

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
