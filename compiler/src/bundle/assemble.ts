import type { Artifact, Manifest, ValueInfo } from "@pare/runtime/format";
import type { Lock } from "../search/lock.js";
import { type Optimized, type OptimizedVariant, variantId } from "../search/request.js";
import { type BundleInput, bundleFiles } from "./bundle-files.js";
import type { GoldenRecorder } from "./record-golden.js";

export interface AssembleRequest {
  readonly name: string;
  readonly optimized: Optimized;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Runs variants where a lock does not bring their golden check. */
  readonly golden: GoldenRecorder;
  /** Written while the search goes on. */
  readonly provisional: boolean;
  readonly source: Manifest["source"];
  readonly createdBy: string;
  /** Where latencies were measured: `linux x64, 2 cores`. Null in a replay, which measures none: the lock says. */
  readonly measuredOn: string | null;
  readonly extra: NonNullable<BundleInput["extra"]>;
}

/**
 * All files of a bundle from what was decided. Runs each variant once, for the golden check, where a lock does not
 * bring it; timings enter the manifest, never a variant or the check.
 */
export async function assembleBundle(request: AssembleRequest): Promise<Map<string, Uint8Array>> {
  const { optimized, provisional, extra } = request;
  const measuredOn = request.measuredOn ?? optimized.lock.measuredOn;
  const { golden, tolerances } =
    optimized.lock.golden ?? (await request.golden.record(optimized.variants, provisional));
  const lock: Lock = {
    ...optimized.lock,
    ...(measuredOn !== undefined && { measuredOn }),
    golden: { golden, tolerances },
  };
  return bundleFiles({
    name: request.name,
    createdBy: request.createdBy,
    inputs: request.inputs,
    outputs: request.outputs,
    source: request.source,
    golden,
    extra: { "pare.lock.json": `${JSON.stringify(lock, null, 1)}\n`, ...extra },
    baselines: optimized.variants.flatMap(({ target, baseline }) =>
      baseline === null
        ? []
        : [{ target, accuracy: baseline.accuracy, latencyMs: baseline.latencyMs }],
    ),
    variants: optimized.variants.map((variant) => {
      const { target, precision, evidence, measurement } = variant;
      const { latencyMs, accuracy } = measurement;
      const id = variantId(variant);
      return {
        id,
        target,
        precision,
        evidence,
        accuracy,
        latencyMs:
          "unmeasured" in latencyMs
            ? latencyMs
            : { ...latencyMs, measuredOn: measuredOn ?? "a machine that the lock does not name" },
        tolerance: tolerances[id] ?? { absolute: 0, relative: 0 },
        artifact: requiring(variant),
      };
    }),
  });
}

/** With the memory that it was seen to take. */
function requiring({ artifact, measurement: { memoryBytes } }: OptimizedVariant): Artifact {
  if (memoryBytes === null) return artifact;
  return { ...artifact, requires: { ...artifact.requires, memoryBytes } };
}
