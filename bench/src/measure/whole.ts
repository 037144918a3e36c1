import type {
  Artifact,
  LatencyLimits,
  Measure,
  Measurement,
  SplitName,
  TargetName,
} from "@pare/runtime/format";

/** For numbers that are published and gated. */
export const finalLimits: LatencyLimits = {
  warmUpMs: 3000,
  blocks: 25,
  maxBlocks: 120,
  maxMs: 12_000,
};

export interface WholeRequest {
  readonly artifact: Artifact;
  readonly target: TargetName;
  /** Engine, version and where it runs. */
  readonly engine: string;
  /** The model that drops, flips and ratios are against; absent: this is it. */
  readonly baseline?: Artifact;
  /** The engine that the others agree with. */
  readonly referenceTarget: TargetName | null;
  /** The same model as that engine loads it, where it is another file. */
  readonly onReference?: Artifact | undefined;
  /** The target is a GPU that is emulated on the CPU: never timed, and another target's engine answers for accuracy. */
  readonly standIn: TargetName | null;
  readonly split: SplitName;
  readonly signal?: AbortSignal | undefined;
}

const paritySamples = 16;
/** What samples take, at least, for starting further engines that share them. */
const muchMs = 10_000;
const softwareGpuMs = 5000;

/** Everything there is to measure of one file on one target. */
export async function measureWhole(measure: Measure, request: WholeRequest): Promise<Measurement> {
  const { artifact, target, engine, baseline, referenceTarget, standIn, split, signal } = request;
  const { onReference = artifact } = request;
  const size = measure.size(artifact);
  size.catch(() => {});
  const { runMs } = await measure.tryOut({ artifact, target, signal });
  const count = measure.samples(split);
  const scoring = standIn ?? target;
  if (count * runMs >= muchMs && standIn === null)
    await measure.shareSamples({ artifact, target, signal });
  const accuracy = await measure.accuracy({
    artifact,
    target: scoring,
    float: baseline,
    split,
    count,
    signal,
  });
  const reference =
    referenceTarget === null
      ? null
      : target !== referenceTarget
        ? { artifact: onReference, target: referenceTarget }
        : baseline === undefined
          ? null
          : { artifact: baseline, target };
  const parity =
    reference === null
      ? null
      : await measure.parity({
          artifact,
          target,
          reference,
          split,
          count: standIn === null ? paritySamples : count,
          maxMs: standIn === null ? undefined : softwareGpuMs,
          signal,
        });
  const sizeBytes = await size;
  const common = { target, engine, sizeBytes, accuracy, parity };
  if (standIn !== null) {
    const unmeasured = `The GPU of ${engine} is emulated on the CPU: its times say nothing.`;
    return { ...common, latencyMs: { unmeasured }, memoryBytes: null, startupMs: null };
  }
  const artifacts =
    baseline === undefined ? ([artifact] as const) : ([baseline, artifact] as const);
  const { latencies } = await measure.latency({
    artifacts,
    target,
    limits: finalLimits,
    seed: 0,
    signal,
  });
  const latencyMs = latencies.at(-1) ?? { unmeasured: "It was not timed." };
  return { ...common, latencyMs, ...(await measure.coldStart({ artifact, target, signal })) };
}
