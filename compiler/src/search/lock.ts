import {
  type Accuracy,
  type DeviceFeature,
  type Evidence,
  type FileHash,
  findFault,
  type Golden,
  isRecord,
  type Latency,
  PareError,
  parseGolden,
  parseSessionOptions,
  type Precision,
  type SessionOptions,
  type SizeBytes,
  type TargetName,
  type Unmeasured,
  type VariantEntry,
} from "@pare/runtime/format";
import type { StepGroup } from "../pipeline/step.js";
import { lockSchema } from "./lock-schema.js";

export const lockVersion = 2;

/** What was decided for one target, and what was measured of it. */
export interface LockedTarget {
  readonly target: TargetName;
  readonly engine: string;
  readonly candidate: string;
  readonly precision: Precision;
  /** The groups that stayed, in order; empty: the model as it was, or its normal form. The files say which. */
  readonly groups: readonly StepGroup[];
  readonly session: SessionOptions;
  readonly features: readonly DeviceFeature[];
  /** Of the artifact's files, in order. */
  readonly files: readonly FileHash[];
  readonly maxDrop: number;
  readonly sizeBytes: SizeBytes;
  readonly accuracy: Accuracy | null;
  readonly baselineAccuracy: Accuracy | null;
  /** As timed when the decision was made; null where nothing was timed. */
  readonly latencyMs: Latency | Unmeasured;
  readonly baselineLatencyMs: Latency | Unmeasured;
  readonly memoryBytes: number | null;
  readonly startupMs: number | null;
  /** Of the float model; absent in locks of before it was started too. */
  readonly baselineMemoryBytes?: number | null;
  readonly baselineStartupMs?: number | null;
}

/** The golden check and its tolerances by variant: what a replay without an engine needs to write a bundle. */
export interface LockedGolden {
  readonly golden: Golden;
  readonly tolerances: Readonly<Record<string, VariantEntry["tolerance"]>>;
}

/**
 * `pare.lock.json`: every decision, and every number that the bytes rest on, so that it can be replayed without timing
 * anything, without data and without an engine, to the same bytes on any machine.
 */
export interface Lock {
  readonly lockVersion: number;
  readonly compiler: string;
  readonly model: { readonly sha256: string };
  /** Its content, by which it can be told from others of its name. */
  readonly recipe: { readonly name: string; readonly sha256: string };
  readonly seed: number;
  readonly prefer: "latency" | "size";
  readonly shapes: Readonly<Record<string, readonly (number | string)[]>>;
  readonly constants: Readonly<Record<string, string>>;
  /** Sizes of free dims by their names; absent in locks of before it was kept. */
  readonly dims?: Readonly<Record<string, number>>;
  /** See OptimizeRequest. Absent where no dim has several. */
  readonly sizes?: Readonly<Record<string, readonly number[]>>;
  /** sha256 over each split's ids and content. */
  readonly splits: Readonly<Record<string, string>>;
  readonly targets: readonly LockedTarget[];
  /** Where latencies were measured: `linux x64, 2 cores`. Absent in locks of before it was kept. */
  readonly measuredOn?: string;
  /** What accuracies rest on. Absent in locks that were written before it was said. */
  readonly evidence?: Evidence;
  /** Ranges and channel means of activations, by the computation that makes them and the statistic. */
  readonly statistics: Readonly<Record<string, readonly number[]>>;
  /** Null until the bundle was made. */
  readonly golden: LockedGolden | null;
}

/**
 * @throws PareError LOCK when this is not a lock, one of a newer version, or one of the first version, which does not
 *   hold what a replay needs
 */
export function parseLock(data: unknown): Lock {
  if (!isRecord(data) || typeof data["lockVersion"] !== "number") {
    throw new PareError("LOCK", "This is not a lock file of Pare.", {
      hint: "Give the pare.lock.json that lies in a bundle.",
    });
  }
  const version = data["lockVersion"];
  if (version > lockVersion) {
    throw new PareError(
      "LOCK",
      `The lock file has version ${version}; this version of Pare reads up to ${lockVersion}.`,
      { hint: "Update pare." },
    );
  }
  const current = version === 1 ? fromFirstVersion(data) : data;
  const fault = findFault(current, lockSchema);
  if (fault !== null || !isLock(current))
    throw new PareError(
      "LOCK",
      `The lock file is damaged: ${fault?.path || "it"} ${fault?.problem ?? "is no lock"}.`,
      { where: fault?.path ?? "", hint: "Run without --frozen to write a new one." },
    );
  current.targets.forEach(({ session }, index) =>
    parseSessionOptions(session, `targets[${index}].session`, "LOCK"),
  );
  if (current.golden !== null) parseGolden(current.golden.golden);
  return current;
}

/** What a schema cannot say is checked where it is used: passes read their options, paths are never made of a lock. */
function isLock(value: unknown): value is Lock {
  return isRecord(value) && Array.isArray(value["targets"]);
}

/** Version 1 held single steps, one hash per target and no statistics. */
function fromFirstVersion(data: Readonly<Record<string, unknown>>): unknown {
  const targets: unknown = data["targets"];
  const { recipe, maxDrop } = data;
  return {
    prefer: "latency",
    statistics: {},
    golden: null,
    ...data,
    recipe: { name: recipe, sha256: "" },
    targets: Array.isArray(targets)
      ? targets.map((target: unknown) =>
          isRecord(target) ? fromFirstTarget(target, maxDrop) : target,
        )
      : targets,
  };
}

function fromFirstTarget(
  { steps, sha256, session, ...rest }: Readonly<Record<string, unknown>>,
  maxDrop: unknown,
): unknown {
  return {
    accuracy: null,
    baselineAccuracy: null,
    memoryBytes: null,
    startupMs: null,
    sizeBytes: { raw: 0, gzip: 0, brotli: 0 },
    ...rest,
    maxDrop,
    // Its options were onnxruntime's own; Pare never wrote any.
    session: isRecord(session) && Object.keys(session).length > 0 ? session : {},
    groups: Array.isArray(steps)
      ? steps.map((step: unknown) => ({ steps: [step], required: false }))
      : steps,
    files: [{ name: "model.onnx", sha256 }],
  };
}

/** @throws PareError LOCK naming what has changed since the lock was written */
export function checkLock(
  lock: Lock,
  now: {
    readonly modelSha256: string;
    /** Absent where no data was given: the lock then answers for it. */
    readonly splits?: Readonly<Record<string, string>>;
    readonly shapes: Lock["shapes"];
    readonly constants: Lock["constants"];
    readonly dims?: Lock["dims"] | undefined;
    readonly sizes?: Lock["sizes"] | undefined;
  },
): void {
  const changed: string[] = [];
  if (lock.model.sha256 !== now.modelSha256) changed.push("the model");
  // Version 1 hashed ids alone.
  if (now.splits !== undefined && lock.recipe.sha256 !== "" && !same(lock.splits, now.splits))
    changed.push("the data or its splits");
  if (!same(lock.shapes, now.shapes)) changed.push("the shapes");
  if (!same(lock.constants, now.constants)) changed.push("the constants");
  if (lock.dims !== undefined && !same(lock.dims, now.dims ?? {})) changed.push("--dim");
  if (!same(lock.sizes ?? {}, now.sizes ?? {})) changed.push("the sizes of --dim");
  if (changed.length > 0) {
    throw new PareError(
      "LOCK",
      `The lock file was written for something else: ${changed.join(", ")} changed.`,
      { hint: "Run without --frozen to decide anew." },
    );
  }
}

function same(a: object, b: object): boolean {
  return sortedText(a) === sortedText(b);
}

function sortedText(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
}
