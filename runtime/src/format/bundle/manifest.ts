import type { ArtifactFormat } from "../engine/artifact.js";
import type { TargetName } from "../engine/backend.js";
import type { Requirements } from "../engine/requirements.js";
import type { SessionOptions } from "../engine/session-options.js";
import type { ValueInfo } from "../tensor/value-info.js";
import type { Dtype } from "../tensor/dtype.js";
import type { Accuracy, Evidence, Latency, Unmeasured } from "../measurement/measurement.js";

/** Version 1, which is still read, said nothing of an artifact's format: it was ONNX. */
export const bundleFormatVersion = 2;

export interface BundleFile {
  /** Relative to the manifest: `variants/<sha256>.onnx`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an engine multiplies with where the work is. */
export type Arithmetic = "float32" | "float16" | "integer";

/** What variants compute in and store, and the arithmetic that it comes to: tolerances follow from that. */
export const arithmeticOf = {
  float32: "float32",
  float16: "float16",
  int8: "integer",
  "int8-dynamic": "integer",
  "int8-weights": "float32",
  "int4-weights": "float32",
  "int2-weights": "float32",
  "float16-weights": "float32",
  mixed: "integer",
} as const satisfies Readonly<Record<string, Arithmetic>>;
export type Precision = keyof typeof arithmeticOf;

export interface VariantEntry {
  readonly id: string;
  readonly target: TargetName;
  readonly precision: Precision;
  readonly evidence: Evidence;
  readonly format: ArtifactFormat;
  /** The first file is the model; others are its external data. */
  readonly files: readonly BundleFile[];
  readonly requires: Requirements;
  readonly session: SessionOptions;
  readonly accuracy: Accuracy | null;
  readonly latencyMs: (Latency & { readonly measuredOn: string }) | Unmeasured;
  readonly tolerance: Tolerance;
}

/** Of the golden check: |got − expected| ≤ absolute + relative × |expected|. */
export interface Tolerance {
  /** Of outputs that `outputs` does not name. */
  readonly absolute: number;
  readonly relative: number;
  /** What is absolute of each output by its name: scores to 1 may not be as far off as boxes to 640. */
  readonly outputs?: Readonly<Record<string, number>>;
}

export interface Manifest {
  readonly formatVersion: number;
  readonly name: string;
  /** sha256 over the variants' hashes and the golden file's: the same model, the same identity. */
  readonly identity: string;
  readonly createdBy: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Of a model with state, by output name, the input that it is at the next step: `{ stateN: "state" }`. */
  readonly state?: Readonly<Record<string, string>>;
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
 * included). `values` holds given numbers instead (small integer inputs, or real samples when asked for), and texts.
 */
export type GoldenInput = {
  readonly name: string;
  readonly dims: readonly number[];
  readonly generator: "splitmix32";
  readonly seed: number;
  readonly range: readonly [number, number];
} & (
  | { readonly type: Exclude<Dtype, "string">; readonly values?: readonly number[] }
  | { readonly type: "string"; readonly values: readonly string[] }
);

/** One output's numbers or texts at `indices` (flat, row-major), per variant id: none where they are drawn at random. */
export interface GoldenOutput {
  readonly name: string;
  readonly type: Dtype;
  readonly dims: readonly number[];
  readonly indices: readonly number[];
  /** Of a file that was read they are not checked: what is no number and no text is like no answer. */
  readonly values: Readonly<Record<string, readonly (number | string)[]>>;
}

export interface GoldenCase {
  readonly inputs: readonly GoldenInput[];
  /** None where even their dims are drawn at random: variants are run, and no more. */
  readonly outputs: readonly GoldenOutput[];
}

/** As JSON. */
export const goldenMaxBytes = 32 * 1024;

/** The check on the device; at most 32 KB as JSON. */
export interface Golden {
  readonly formatVersion: number;
  readonly cases: readonly GoldenCase[];
}
