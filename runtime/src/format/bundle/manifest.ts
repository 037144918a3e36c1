import type { TargetName } from "../engine/backend.js";
import type { ValueInfo } from "../tensor/value-info.js";
import type { Dtype } from "../tensor/dtype.js";
import type { Accuracy, Evidence, Latency, Unmeasured } from "../measurement/measurement.js";

export const bundleFormatVersion = 1;

export interface BundleFile {
  /** Relative to the manifest: `variants/<sha256>.onnx`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type Precision =
  | "float32"
  | "float16"
  | "int8"
  | "int8-dynamic"
  | "int8-weights"
  | "float16-weights"
  | "mixed";

/** What a device must have for a variant to run there. */
export interface Requirements {
  readonly features: readonly (
    | "simd"
    | "relaxed-simd"
    | "threads"
    | "shader-f16"
    | "webgpu"
    | "webnn"
  )[];
  readonly memoryBytes?: number;
}

export interface VariantEntry {
  readonly id: string;
  readonly target: TargetName;
  readonly precision: Precision;
  readonly evidence: Evidence;
  /** The first file is the model; others are its external data. */
  readonly files: readonly BundleFile[];
  readonly requires: Requirements;
  /** Options for onnxruntime's session, as data. */
  readonly session: Readonly<Record<string, unknown>>;
  readonly accuracy: Accuracy | null;
  readonly latencyMs: (Latency & { readonly measuredOn: string }) | Unmeasured;
  /** Of the golden check: |got − expected| ≤ absolute + relative × |expected|. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
}

export interface Manifest {
  readonly formatVersion: number;
  readonly name: string;
  /** sha256 over the variants' hashes and the golden file's: the same model, the same identity. */
  readonly identity: string;
  readonly createdBy: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Best first within a target. */
  readonly variants: readonly VariantEntry[];
  readonly golden: BundleFile;
  /** The float model that was given. */
  readonly source: {
    readonly bytes: number;
    readonly sha256: string;
    readonly parameters: number;
    readonly macs: number | null;
  };
  /** The float model as measured on each target. */
  readonly baselines: readonly {
    readonly target: TargetName;
    readonly accuracy: Accuracy | null;
    readonly latencyMs: Latency | Unmeasured;
  }[];
}

/**
 * An input that every device makes for itself: `generator` with `seed`, scaled into `range` (integers: both ends
 * included). `values` holds given numbers instead (small integer inputs, or real samples when asked for).
 */
export interface GoldenInput {
  readonly name: string;
  readonly type: Dtype;
  readonly dims: readonly number[];
  readonly generator: "splitmix32";
  readonly seed: number;
  readonly range: readonly [number, number];
  readonly values?: readonly number[];
}

/** One output's values at `indices` (flat, row-major), per variant id. */
export interface GoldenOutput {
  readonly name: string;
  readonly type: Dtype;
  readonly dims: readonly number[];
  readonly indices: readonly number[];
  readonly values: Readonly<Record<string, readonly number[]>>;
}

export interface GoldenCase {
  readonly inputs: readonly GoldenInput[];
  readonly outputs: readonly GoldenOutput[];
}

/** The check on the device; at most 32 KB as JSON. */
export interface Golden {
  readonly formatVersion: number;
  readonly cases: readonly GoldenCase[];
}
