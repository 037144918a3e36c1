import {
  type GoldenInput,
  type Manifest,
  type Requirements,
  type TargetName,
  type ValueInfo,
} from "@pare/runtime/format";
import {
  type Optimized,
  type OptimizedVariant,
  type TargetDevice,
  variantId,
} from "../search/request.js";
import { type BundleInput, bundleFiles } from "./bundle-files.js";
import { recordGolden } from "./record-golden.js";

export interface AssembleRequest {
  readonly name: string;
  readonly optimized: Optimized;
  readonly devices: readonly TargetDevice[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The golden check's inputs: concrete dims, seeded. */
  readonly golden: readonly GoldenInput[];
  readonly seed: number;
  readonly source: Manifest["source"];
  readonly createdBy: string;
  /** Where latencies were measured: `linux x64, 2 cores`. */
  readonly measuredOn: string;
  readonly extra: NonNullable<BundleInput["extra"]>;
}

/**
 * All files of a bundle from what was decided. Runs each variant once, for the golden check; timings enter the
 * manifest, never a variant or the check.
 */
export async function assembleBundle(request: AssembleRequest): Promise<Map<string, Uint8Array>> {
  const { optimized, devices, seed, measuredOn } = request;
  const { golden, tolerances } = await recordGolden(
    optimized.variants,
    devices,
    request.golden,
    seed,
  );
  return bundleFiles({
    name: request.name,
    createdBy: request.createdBy,
    inputs: request.inputs,
    outputs: request.outputs,
    source: request.source,
    golden,
    extra: request.extra,
    baselines: optimized.variants.flatMap(({ target, baseline }) =>
      baseline === null
        ? []
        : [{ target, accuracy: baseline.accuracy, latencyMs: baseline.latencyMs }],
    ),
    variants: optimized.variants.map((variant) => {
      const { target, precision, evidence, session, measurement, bytes } = variant;
      const { latencyMs, accuracy } = measurement;
      return {
        id: variantId(variant),
        target,
        precision,
        evidence,
        requires: requirements(target, variant),
        session,
        accuracy,
        latencyMs: "unmeasured" in latencyMs ? latencyMs : { ...latencyMs, measuredOn },
        tolerance: tolerances.get(variantId(variant)) ?? { absolute: 0, relative: 0 },
        model: bytes,
      };
    }),
  });
}

function requirements(
  target: TargetName,
  { features, measurement }: OptimizedVariant,
): Requirements {
  const needs = new Set<Requirements["features"][number]>();
  if (target === "wasm" || target === "aot") needs.add("simd");
  if (target === "webgpu") needs.add("webgpu");
  if (target === "webnn") needs.add("webnn");
  if (features.includes("shader-f16")) needs.add("shader-f16");
  const { memoryBytes } = measurement;
  return memoryBytes === null ? { features: [...needs] } : { features: [...needs], memoryBytes };
}
