import {
  type Artifact,
  type Evidence,
  fileHashes,
  type Measure,
  type Measurement,
  PareError,
} from "@pare/runtime/format";
import { Fingerprints } from "../analysis/fingerprints.js";
import { ofNeedAlone, RecordedActivations } from "../calibrate/recorded-activations.js";
import type { Made, State, Tried } from "./candidate.js";
import { Learned } from "./make/learned.js";
import type { Lock, LockedTarget } from "./lock.js";
import { asGiven, beginning, change, finish, type MakeServices } from "./make/make.js";
import { SearchRecord } from "./record/record.js";
import type { Optimized, OptimizeRequest, TargetDevice } from "./request.js";
import { isRefusal } from "./refusal.js";
import { SharedFiles } from "./make/shared-files.js";
import { explain } from "./record/why.js";

/** What a replay needs: of a request all that says what the model is, and of what measures, sizes alone. */
export type ReplayRequest = Pick<
  OptimizeRequest,
  | "graph"
  | "original"
  | "originalSha256"
  | "recipe"
  | "budget"
  | "shapes"
  | "constants"
  | "dims"
  | "sizes"
  | "compiler"
  | "signal"
> & {
  /** Of the float model, which a lock does not hold. */
  readonly measure: Pick<Measure, "size">;
  /** Answers for a lock of the first version, which holds no statistics. Absent: such a lock suffices for weights alone. */
  readonly activations?: OptimizeRequest["activations"];
  readonly fingerprints?: OptimizeRequest["fingerprints"];
  /** What steps that learn learn from again. Absent: such a lock cannot be replayed. */
  readonly examples?: OptimizeRequest["examples"];
  readonly training?: OptimizeRequest["training"];
};

/**
 * Locked decisions made again: the same groups on the same model, nothing timed, nothing compared, no engine asked.
 * @throws PareError LOCK where a file's bytes are not those that were locked
 */
export async function replay(request: ReplayRequest, lock: Lock): Promise<Optimized> {
  const { signal, fingerprints = new Fingerprints() } = request;
  const statistics = new Map(Object.entries(lock.statistics));
  const services: MakeServices = {
    activations:
      statistics.size === 0 && request.activations !== undefined
        ? ofNeedAlone(request.activations)
        : new RecordedActivations(statistics, fingerprints),
    examples: request.examples,
    training: request.training,
    teacher: request.graph,
    fingerprints,
    learned: new Learned(),
    files: new SharedFiles(),
    seed: lock.seed,
    sizes: request.sizes,
    signal,
  };
  const normal = await beginning(request.graph, null, services);
  const devices = lock.targets.map(deviceOf);
  const record = new SearchRecord(
    { ...request, devices, seed: lock.seed, splits: lock.splits, evidence: lock.evidence },
    lock.recipe.sha256,
  );
  for (const [index, locked] of lock.targets.entries()) {
    const device = devices[index];
    if (device === undefined) continue;
    const chosen = await make(request, locked, normal, services, record);
    await checkFiles(chosen, locked, { lock, request });
    const reference = await referenceOf(request, locked, services);
    record.decide({
      device,
      chosen,
      variant: {
        target: locked.target,
        name: locked.candidate,
        precision: locked.precision,
        evidence: evidenceOf(lock, locked),
        artifact: chosen.artifact,
        reference: reference ?? chosen.artifact,
        referenceGraph: reference === null ? chosen.written.graph : normal.graph,
        files: locked.files,
        graph: chosen.written.graph,
        groups: locked.groups,
        shares: chosen.written.shares,
        measurement: measurementOf(locked),
        baseline: reference && (await baselineOf(request, locked, reference)),
      },
      candidates: [],
      why: explain(locked.target, chosen, record.stepsOf(locked.target)),
      missed: null,
      tested: locked.accuracy?.n ?? 0,
    });
  }
  const done = record.done();
  return { ...done, golden: lock.golden?.golden ?? null, lock: { ...done.lock, ...pinned(lock) } };
}

/** Where a lock does not say, no more than is sure: what has an accuracy was looked at on real inputs. */
function evidenceOf({ evidence }: Lock, { accuracy }: LockedTarget): Evidence {
  return evidence ?? (accuracy === null ? "none" : "unlabelled");
}

/** @throws PareError LOCK */
async function checkFiles(
  { artifact }: Tried,
  locked: LockedTarget,
  by: { readonly lock: Lock; readonly request: ReplayRequest },
): Promise<void> {
  const other = await otherFile(artifact, locked);
  if (other === null) return;
  const { target } = locked;
  throw new PareError(
    "LOCK",
    `What the lock file says of ${target} makes another file now: its sha256 begins with ${other.made}, locked was ${other.locked}.`,
    {
      where: target,
      hint: `It was written by ${by.lock.compiler}; this is ${by.request.compiler}. Run without --frozen to decide anew.`,
    },
  );
}

/** How the hashes of the first file begin that is not the one that was locked; null where all are. */
async function otherFile(
  artifact: Artifact,
  { files }: LockedTarget,
): Promise<{ readonly made: string; readonly locked: string } | null> {
  const made = await fileHashes(artifact);
  for (let at = 0; at < Math.max(made.length, files.length); at += 1) {
    const [own = "none", locked = "none"] = [made[at]?.sha256, files[at]?.sha256];
    if (own !== locked) return { made: own.slice(0, 12), locked: locked.slice(0, 12) };
  }
  return null;
}

/** The model as its user has it; null where the target makes nothing of that. */
async function referenceOf(
  request: ReplayRequest,
  { target }: LockedTarget,
  services: MakeServices,
): Promise<Artifact | null> {
  try {
    return await asGiven(request, target, services);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** The float model on a target: its own sizes, and what the lock says of it. */
async function baselineOf(
  { measure }: ReplayRequest,
  {
    target,
    engine,
    baselineAccuracy,
    baselineLatencyMs,
    baselineMemoryBytes = null,
    baselineStartupMs = null,
  }: LockedTarget,
  reference: Artifact,
): Promise<Measurement> {
  return {
    target,
    engine,
    sizeBytes: await measure.size(reference),
    accuracy: baselineAccuracy,
    parity: null,
    latencyMs: baselineLatencyMs,
    memoryBytes: baselineMemoryBytes,
    startupMs: baselineStartupMs,
  };
}

/** What a replay does not decide anew. */
function pinned(lock: Lock): Partial<Lock> {
  const { recipe, statistics, golden, splits, prefer, targets, measuredOn } = lock;
  const where = measuredOn === undefined ? {} : { measuredOn };
  return { recipe, statistics, golden, splits, prefer, targets, ...where };
}

/** The locked groups one after another, each a step of the record. */
async function make(
  request: ReplayRequest,
  locked: LockedTarget,
  normal: State,
  services: MakeServices,
  record: SearchRecord,
): Promise<Tried> {
  const { candidate, precision, session, sizeBytes, target } = locked;
  const { graph, original } = request;
  const measured = {
    tryOut: { loadMs: 0, runMs: 0 },
    size: sizeBytes,
    latency: null,
    accuracy: null,
  };
  const fileOf = (state: State): Promise<Made> =>
    finish(state, candidate, target, session, [], services);
  if (locked.groups.length === 0) {
    const artifact = await asGiven(request, target, services);
    // A recipe that does not simplify may have led to the normal form, by no group either.
    if ((await otherFile(artifact, locked)) !== null)
      return { ...(await fileOf(normal)), ...measured };
    const state: State = { ...normal, graph };
    return { ...state, written: state, name: candidate, artifact, identity: "", ...measured };
  }
  let state = normal;
  let before: Pick<Made, "graph" | "artifact"> = { graph, artifact: original };
  let made: Made | null = null;
  for (const [index, group] of locked.groups.entries()) {
    state = (await change(state, group, precision, services)).state;
    const isLast = index === locked.groups.length - 1;
    made = isLast ? await fileOf(state) : await fileOnTheWay(fileOf, state, before);
    const name = group.name ?? group.steps.map(({ use }) => use).join(", ");
    const planned = { group, expected: null };
    record.step({
      target,
      name,
      kept: true,
      reason: "as the lock says",
      before,
      after: made,
      tried: "decided",
      planned,
    });
    before = made;
  }
  return { ...(made ?? (await fileOf(state))), ...measured };
}

/** What a group led to, though others follow; where the target takes nothing that is half done, the file before. */
async function fileOnTheWay(
  fileOf: (state: State) => Promise<Made>,
  state: State,
  { artifact }: Pick<Made, "artifact">,
): Promise<Made> {
  try {
    return await fileOf(state);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { ...state, written: state, name: "", artifact, identity: "" };
  }
}

function deviceOf({ target, engine, features }: LockedTarget): TargetDevice {
  return {
    target,
    engine,
    standIn: null,
    features,
    saturates: false,
    executor: {
      load: () =>
        Promise.reject(new PareError("INTERNAL", "A replay asks no engine.", { where: target })),
    },
  };
}

function measurementOf(locked: LockedTarget): Measurement {
  const { target, engine, sizeBytes, accuracy, latencyMs, memoryBytes, startupMs } = locked;
  return { target, engine, sizeBytes, accuracy, parity: null, latencyMs, memoryBytes, startupMs };
}
