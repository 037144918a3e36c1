import {
  type Latency,
  PareError,
  type Precision,
  type TargetName,
  type Unmeasured,
} from "@pare/runtime/format";
import type { Step } from "../pipeline/recipe.js";

export const lockVersion = 1;

/** What was decided for one target, and what it took to decide it. */
export interface LockedTarget {
  readonly target: TargetName;
  readonly engine: string;
  readonly candidate: string;
  readonly precision: Precision;
  /** The steps that stayed, with their options. */
  readonly steps: readonly Step[];
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
  readonly sha256: string;
  /** As timed when the decision was made; null where nothing was timed. */
  readonly latencyMs: Latency | Unmeasured;
  readonly baselineLatencyMs: Latency | Unmeasured;
}

/** `pare.lock.json`: every decision, so that it can be replayed without timing anything. */
export interface Lock {
  readonly lockVersion: number;
  readonly compiler: string;
  readonly model: { readonly sha256: string };
  readonly recipe: string;
  readonly seed: number;
  readonly maxDrop: number;
  readonly shapes: Readonly<Record<string, readonly (number | string)[]>>;
  readonly constants: Readonly<Record<string, string>>;
  /** sha256 over the ids of each split's samples, in order. */
  readonly splits: Readonly<Record<string, string>>;
  readonly targets: readonly LockedTarget[];
}

/** @throws PareError LOCK when this is not a lock, or one of a newer version */
export function parseLock(data: unknown): Lock {
  if (
    typeof data !== "object" ||
    data === null ||
    !("lockVersion" in data) ||
    typeof data.lockVersion !== "number"
  ) {
    throw new PareError("LOCK", "This is not a lock file of Pare.", {
      hint: "Give the pare.lock.json that lies in a bundle.",
    });
  }
  if (data.lockVersion > lockVersion) {
    throw new PareError(
      "LOCK",
      `The lock file has version ${data.lockVersion}; this version of Pare reads up to ${lockVersion}.`,
      { hint: "Update pare." },
    );
  }
  const lock = data as Partial<Lock>;
  for (const field of ["model", "recipe", "seed", "splits", "targets"] as const) {
    if (lock[field] === undefined)
      throw new PareError("LOCK", `The lock file lacks "${field}".`, {
        where: field,
        hint: "Run without --frozen to write a new one.",
      });
  }
  return data as Lock;
}

/** @throws PareError LOCK naming what has changed since the lock was written */
export function checkLock(
  lock: Lock,
  now: {
    readonly modelSha256: string;
    readonly splits: Readonly<Record<string, string>>;
    readonly shapes: Lock["shapes"];
    readonly constants: Lock["constants"];
  },
): void {
  const changed: string[] = [];
  if (lock.model.sha256 !== now.modelSha256) changed.push("the model");
  if (JSON.stringify(lock.splits) !== JSON.stringify(now.splits))
    changed.push("the data or its splits");
  if (JSON.stringify(lock.shapes) !== JSON.stringify(now.shapes)) changed.push("the shapes");
  if (JSON.stringify(lock.constants) !== JSON.stringify(now.constants))
    changed.push("the constants");
  if (changed.length > 0) {
    throw new PareError(
      "LOCK",
      `The lock file was written for something else: ${changed.join(", ")} changed.`,
      { hint: "Run without --frozen to decide anew." },
    );
  }
}
