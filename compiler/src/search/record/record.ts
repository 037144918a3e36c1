import {
  type Accuracy,
  artifactBytes,
  type ExpectedGain,
  type Latency,
  type Measurement,
  type NodeSensitivity,
  type NodeWhy,
  type Precision,
  type ReportCandidate,
  type ReportStep,
  type StepShare,
  type TargetName,
  type Unmeasured,
} from "@pare/runtime/format";
import type { Graph } from "../../ir/index.js";
import type { Gain } from "../../targets/gains.js";
import type { Made, Planned, Tried, TriedAs } from "../candidate.js";
import { groupKey } from "../make/learned.js";
import { type Lock, type LockedTarget, lockVersion } from "../lock.js";
import type { Optimized, OptimizedVariant, OptimizeRequest, TargetDevice } from "../request.js";
import type { Relative } from "../verdict/verdict.js";

interface Named {
  readonly name: string;
  readonly precision: Precision;
  readonly expected: Gain | null;
}

/** What a lock says of the request. */
export type RecordRequest = Pick<
  OptimizeRequest,
  | "devices"
  | "compiler"
  | "originalSha256"
  | "recipe"
  | "seed"
  | "budget"
  | "shapes"
  | "constants"
  | "dims"
  | "sizes"
  | "splits"
> & {
  /** Unknown of what a lock says that did not say it. */
  readonly evidence?: OptimizeRequest["evidence"] | undefined;
};

/** A group that was run on a target's model. */
interface Stepped {
  readonly target: TargetName;
  readonly name: string;
  readonly kept: boolean;
  readonly reason: string;
  readonly before: Pick<Made, "graph" | "artifact">;
  /** Null where it could not be made. */
  readonly after: Pick<Made, "graph" | "artifact" | "written"> | null;
  readonly tried: TriedAs;
  readonly planned: Pick<Planned, "group" | "expected">;
  /** Null, or not given, where nothing was measured. */
  readonly measurement?: Measurement | null;
}

/** What was done and decided so far, as reports and the lock tell it. */
export class SearchRecord {
  readonly #request: RecordRequest;
  readonly #recipeSha256: string;
  readonly #steps: ReportStep[] = [];
  readonly #rejected: ReportCandidate[] = [];
  readonly #sensitivity: NodeSensitivity[] = [];
  readonly #skipped: Optimized["skipped"][number][] = [];
  readonly #decided = new Map<TargetName, Decided>();

  constructor(request: RecordRequest, recipeSha256: string) {
    this.#request = request;
    this.#recipeSha256 = recipeSha256;
  }

  /** A group on one target: what it changed, and whether it stayed. */
  step({ target, name, kept, reason, before, after, tried, planned, measurement }: Stepped): void {
    const made = after ?? before;
    this.#steps.push({
      target,
      name,
      verdict: kept ? "kept" : "reverted",
      reason,
      nodesBefore: countNodes(before.graph),
      nodesAfter: countNodes(made.graph),
      bytesBefore: artifactBytes(before.artifact),
      bytesAfter: artifactBytes(made.artifact),
      measurement: measurement ?? null,
      group: planned.group.steps.map(({ use }) => use),
      ...(after !== null && { shares: sharesOf(planned.group, after) }),
      tried,
      expectedGain: gainOf(planned.expected),
    });
  }

  turnDown(
    target: TargetName,
    { name, precision, expected }: Named,
    tried: TriedAs,
    reason: string,
    measurement: Measurement | null,
  ): void {
    this.#rejected.push({
      target,
      name,
      verdict: "rejected",
      reason,
      precision,
      measurement,
      tried,
      expectedGain: gainOf(expected),
    });
  }

  /** A target that is left out, whatever was found for it before. */
  skip(target: TargetName, reason: string): void {
    this.#decided.delete(target);
    this.#skipped.push({ target, reason });
  }

  sensitivity(entries: readonly NodeSensitivity[]): void {
    this.#sensitivity.push(...entries);
  }

  /** What stands for a target now; the last word is the last one said. */
  decide(decided: Decided): void {
    this.#decided.set(decided.device.target, decided);
  }

  get isEmpty(): boolean {
    return this.#decided.size === 0;
  }

  get skipped(): Optimized["skipped"] {
    return this.#skipped;
  }

  stepsOf(target: TargetName): readonly ReportStep[] {
    return this.#steps.filter((step) => step.target === target);
  }

  done(): Optimized {
    // In the order in which the targets were named.
    const decided = this.#request.devices.flatMap(({ target }) => this.#decided.get(target) ?? []);
    const standing = decided.flatMap(({ candidates }) => candidates);
    // Turned down once, and in the end looked at after all.
    const stands = ({ target, name }: ReportCandidate): boolean =>
      standing.some((one) => one.target === target && one.name === name);
    return {
      variants: decided.map(({ variant }) => variant),
      steps: [...this.#steps],
      candidates: [...standing, ...this.#rejected.filter((one) => !stands(one))],
      why: decided.flatMap(({ why }) => why),
      sensitivity: [...this.#sensitivity],
      skipped: [...this.#skipped],
      missed: decided.flatMap(({ device, missed }) =>
        missed === null ? [] : [`${device.target}: ${missed}`],
      ),
      tested: Object.fromEntries(decided.map(({ device, tested }) => [device.target, tested])),
      lock: this.#lock(decided),
      time: null,
      golden: null,
    };
  }

  #lock(decided: readonly Decided[]): Lock {
    const {
      compiler,
      originalSha256,
      recipe,
      seed,
      budget,
      shapes,
      constants,
      dims,
      sizes,
      splits,
      evidence,
    } = this.#request;
    const statistics = new Map<string, readonly number[]>();
    for (const { chosen } of decided)
      for (const [key, numbers] of chosen.written.statistics) statistics.set(key, numbers);
    return {
      lockVersion,
      compiler,
      model: { sha256: originalSha256 },
      recipe: { name: recipe.name, sha256: this.#recipeSha256 },
      seed,
      prefer: budget.prefer,
      shapes,
      constants,
      ...(dims && { dims }),
      ...(sizes && Object.keys(sizes).length > 0 && { sizes }),
      splits,
      ...(evidence !== undefined && { evidence }),
      targets: decided.map((one) => lockedTarget(one, budget.limits(one.device.target).maxDrop)),
      statistics: Object.fromEntries([...statistics].sort(([a], [b]) => (a < b ? -1 : 1))),
      golden: null,
    };
  }
}

/** What a target has come to. */
export interface Decided {
  readonly device: TargetDevice;
  readonly chosen: Made;
  readonly variant: OptimizedVariant;
  readonly candidates: readonly ReportCandidate[];
  readonly why: readonly NodeWhy[];
  /** A budget that the user gave and that no candidate met. */
  readonly missed: string | null;
  readonly tested: number;
}

function lockedTarget({ device, chosen, variant }: Decided, maxDrop: number): LockedTarget {
  const { measurement, baseline } = variant;
  return {
    target: device.target,
    engine: device.engine,
    candidate: chosen.name,
    precision: chosen.precision,
    groups: chosen.written.groups,
    session: chosen.artifact.session,
    features: chosen.artifact.requires.features,
    files: variant.files,
    maxDrop,
    sizeBytes: measurement.sizeBytes,
    accuracy: measurement.accuracy,
    baselineAccuracy: baseline?.accuracy ?? null,
    latencyMs: measurement.latencyMs,
    baselineLatencyMs: baseline?.latencyMs ?? {
      unmeasured: "the engine refuses the model as it is",
    },
    memoryBytes: measurement.memoryBytes,
    startupMs: measurement.startupMs,
    baselineMemoryBytes: baseline?.memoryBytes ?? null,
    baselineStartupMs: baseline?.startupMs ?? null,
  };
}

/** What was measured of a candidate while it was searched for, as a report shows it. */
export function measurementOf(
  { device, facts }: { readonly device: TargetDevice; readonly facts: { readonly runMs: number } },
  tried: Partial<Tried>,
  accuracy: Accuracy | null = tried.accuracy ?? null,
): Measurement | null {
  const { size, latency } = tried;
  if (size === undefined) return null;
  return {
    target: device.target,
    engine: device.engine,
    sizeBytes: size,
    accuracy,
    parity: null,
    latencyMs: searchedLatency(latency ?? null, facts.runMs),
    memoryBytes: null,
    startupMs: null,
  };
}

/** Of a few blocks only: good for choosing, and for nothing else. */
function searchedLatency(latency: Relative | null, floatMs: number): Latency | Unmeasured {
  if (latency === null) return { unmeasured: "It was not timed." };
  return {
    p50: latency.ratio * floatMs,
    p90: null,
    p99: null,
    n: 1,
    method: "a few blocks during the search",
    ratio: latency.ratio,
    ratioInterval: latency.interval,
  };
}

function gainOf(expected: Gain | null): ExpectedGain | null {
  return expected === null ? null : { latency: expected.latency, size: expected.size };
}

/** What each step of a group did in the file that it led to: shares stand in the order of groups and their steps. */
function sharesOf(
  group: Planned["group"],
  { written: { groups, shares } }: Pick<Made, "written">,
): readonly StepShare[] {
  const last = groups.map(groupKey).lastIndexOf(groupKey(group));
  if (last < 0) return [];
  const first = groups.slice(0, last).reduce((sum, { steps }) => sum + steps.length, 0);
  return shares.slice(first, first + group.steps.length);
}

/** Nodes of all bodies, Constants among them. */
function countNodes(graph: Graph): number {
  let count = 0;
  for (const _ of graph.allNodes()) count += 1;
  return count;
}
