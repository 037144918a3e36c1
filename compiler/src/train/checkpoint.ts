import { isRecord, PareError } from "@pare/runtime/format";
import { readSafetensors, type SavedArray, writeSafetensors } from "./safetensors.js";
import type { EpochFacts, EpochSums, LearnedArray, TrainingState } from "./training-state.js";

/** What a training depends on besides its state: it goes on only where all of this is the same. */
export type TrainingIdentity = Readonly<Record<string, string | number>>;

interface Position {
  readonly steps: number;
  readonly epoch: number;
  readonly position: number;
  readonly batch: number;
  readonly sums: EpochSums;
  readonly history: readonly EpochFacts[];
}

const format = "pare-training-1";

/** Where its faults are. */
export const checkpointPlace = "the checkpoint";

/** A training's state as safetensors: weights by the names that the model gives them, and what the optimizer remembers. */
export function writeCheckpoint(
  state: TrainingState,
  identity: TrainingIdentity,
): Uint8Array<ArrayBuffer> {
  const { optimizer, epoch, position, batch, sums, history } = state;
  const saved: Position = { steps: optimizer.steps, epoch, position, batch, sums, history };
  const arrays = new Map(namedArrays(state));
  const metadata = {
    format,
    identity: JSON.stringify(identity),
    position: JSON.stringify(saved),
  };
  return writeSafetensors({ arrays, metadata });
}

/**
 * Puts a state back that was saved.
 * @throws PareError DATA_INVALID for a damaged file, DATA_MISMATCH for one of another training, saying what differs
 */
export function readCheckpoint(
  bytes: Uint8Array,
  state: TrainingState,
  identity: TrainingIdentity,
): void {
  const { arrays, metadata } = readSafetensors(bytes, checkpointPlace);
  if (metadata["format"] !== format) throw invalid("is no checkpoint of a training");
  const before = parsed(metadata["identity"]);
  const isLess = Number(identity["batch"]) < Number(before["batch"]);
  for (const name of new Set([...Object.keys(identity), ...Object.keys(before)])) {
    if (before[name] === identity[name] || mayDiffer(name, isLess)) continue;
    throw new PareError(
      "DATA_MISMATCH",
      `The checkpoint is of another training: ${differenceText(name, before[name], identity[name])}.`,
      {
        where: checkpointPlace,
        hint: "Go on with what it began with, at another rate or in smaller batches too, or start anew without it.",
      },
    );
  }
  const own = new Map(namedArrays(state));
  const other = [...arrays.keys()].find((name) => !own.has(name));
  if (other !== undefined) throw invalid(`has an array "${other}", which is not learned here`);
  for (const [name, { dims, data }] of own) {
    const saved = arrays.get(name);
    if (saved === undefined || saved.dims.join() !== dims.join())
      throw invalid(`has no array "${name}" of [${dims.join(", ")}]`);
    data.set(saved.data);
  }
  const position = parsed(metadata["position"]);
  const limits = { batch: Number(before["batch"]), samples: Number(identity["samples"]) };
  if (!isPosition(position, limits)) throw invalid("does not say how far it came");
  state.optimizer.steps = position.steps;
  const { epoch, sums, history } = position;
  const batch = Math.min(position.batch, state.batch);
  Object.assign(state, { epoch, position: position.position, batch, sums, history });
}

/** Identities of these are digests, which tell nobody anything. */
const digested = new Set(["seed", "student", "teacher", "data", "objectives"]);
/** The identity of what there is none of. */
export const absent = "none";

function differenceText(name: string, was: unknown, is: unknown): string {
  if (digested.has(name)) {
    if (was === absent || is === absent)
      return `it had ${was === absent ? "no" : "a"} ${name}, and now has ${is === absent ? "none" : "one"}`;
    return `its ${name} was another`;
  }
  const [before, now] = [was, is].map((one) =>
    one === undefined ? "not said" : JSON.stringify(one),
  );
  return `${name} was ${before}, and is ${now}`;
}

/**
 * What the next steps alone depend on, and is changed where a training came to no good end or out of memory. How many workers
 * share a batch follows from its size.
 */
function mayDiffer(name: string, isLess: boolean): boolean {
  if (name === "rate" || name === "clip" || name === "recompute") return true;
  return isLess && (name === "batch" || name === "workers");
}

type Named = readonly [name: string, array: SavedArray];

function* namedArrays({
  parameters,
  statistics,
  optimizer,
  average,
}: TrainingState): Generator<Named> {
  yield* namedAs("parameter", parameters);
  yield* namedAs("statistic", statistics);
  for (const [kind, arrays] of Object.entries(optimizer.memory))
    yield* namedAs(`optimizer.${kind}`, parameters, arrays);
  if (average !== null) yield* namedAs("average", parameters, average.averages);
}

/** @param arrays one of the dims of each; its own values where not given */
function* namedAs(
  kind: string,
  learned: readonly LearnedArray[],
  arrays: readonly Float32Array[] = [],
): Generator<Named> {
  for (const [index, { constant, values }] of learned.entries())
    yield [
      `${kind}.${constant.name}`,
      { dims: constant.tensor.dims, data: arrays[index] ?? values },
    ];
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? "");
    if (isRecord(value)) return value;
  } catch {
    // said below
  }
  throw invalid("has damaged metadata");
}

/** @param limits the batch that it began with, which only shrinks, and the samples of an epoch */
function isPosition(
  value: unknown,
  limits: { readonly batch: number; readonly samples: number },
): value is Position {
  if (!isRecord(value)) return false;
  const { steps, epoch, position, batch, sums, history } = value;
  return (
    [steps, epoch, position, batch].every(isCount) &&
    Number(batch) > 0 &&
    Number(batch) <= limits.batch &&
    Number(position) <= limits.samples &&
    isRecord(sums) &&
    [sums["batches"], sums["samples"], sums["loss"], sums["right"] ?? 0].every(Number.isFinite) &&
    isFiniteList(sums["terms"]) &&
    Array.isArray(history) &&
    history.length === epoch &&
    history.every(isEpoch)
  );
}

function isEpoch(value: unknown): value is EpochFacts {
  if (!isRecord(value)) return false;
  const { loss, terms, accuracy, validation } = value;
  return [loss, accuracy ?? 0, validation ?? 0].every(Number.isFinite) && isFiniteList(terms);
}

function isFiniteList(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function invalid(what: string): PareError {
  return new PareError("DATA_INVALID", `The checkpoint ${what}.`, {
    where: checkpointPlace,
    hint: "Start anew without it.",
  });
}
