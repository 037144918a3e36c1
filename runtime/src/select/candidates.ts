import type { Backend, Probe, TargetName } from "../format/engine/backend.js";
import { type ErrorCode, PareError, throwIfAborted } from "../format/error.js";
import { untilAborted } from "../format/until-aborted.js";
import type { RunnableVariant } from "../format/bundle/parse-runnable.js";
import type { Attempts } from "../session/selection.js";
import { lackingMemory, missingFeatures } from "./device-features.js";

export interface Candidate {
  readonly backend: Backend;
  readonly variant: RunnableVariant;
  /** Engine and version, as probed. */
  readonly engine: string;
}

export interface CandidateOptions {
  readonly signal?: AbortSignal | undefined;
  readonly target?: TargetName | undefined;
  readonly allowSoftwareGpu?: boolean | undefined;
}

/**
 * What can be tried, best first: the caller's order of backends, within one the manifest's order of variants.
 * Software GPUs come last unless asked for. Lazy: an engine is probed, and so imported, when its turn comes.
 */
export async function* candidates(
  variants: readonly RunnableVariant[],
  backends: readonly Backend[],
  { target: asked, allowSoftwareGpu, signal }: CandidateOptions,
  attempts: Attempts,
): AsyncGenerator<Candidate> {
  const wanted = backends.filter(({ target }) => asked === undefined || target === asked);
  if (wanted.length === 0 && asked !== undefined)
    attempts.refuse(null, asked, none("no backend for this target was passed"));
  const last: (() => Generator<Candidate>)[] = [];
  for (const backend of wanted) {
    const { target } = backend;
    const own = variants.filter((variant) => variant.target === target);
    if (own.length === 0) {
      attempts.refuse(null, target, none("the bundle has no variant for this target"));
      continue;
    }
    const probe = await probeSafely(backend, attempts, signal);
    if (probe === null) continue;
    const fitting = (): Generator<Candidate> => fittingVariants(backend, own, probe, attempts);
    if (probe.software === true && allowSoftwareGpu !== true && asked === undefined)
      last.push(fitting);
    else yield* fitting();
  }
  for (const fitting of last) yield* fitting();
}

type Found = Extract<Probe, { ok: true }>;

function* fittingVariants(
  backend: Backend,
  variants: readonly RunnableVariant[],
  { engine, features }: Found,
  attempts: Attempts,
): Generator<Candidate> {
  for (const variant of variants) {
    const { requires } = variant;
    const lacking = [...missingFeatures(requires.features, features), ...lackingMemory(requires)];
    if (lacking.length === 0) yield { backend, variant, engine };
    else
      attempts.refuse(variant.id, backend.target, cannot(`the device lacks ${lacking.join(", ")}`));
  }
}

/** Null where it cannot run here, or fails. */
async function probeSafely(
  backend: Backend,
  attempts: Attempts,
  signal: AbortSignal | undefined,
): Promise<Found | null> {
  try {
    const probe = await untilAborted(signal, backend.probe());
    if (probe.ok) return probe;
    throw probe.error ?? cannot(probe.why);
  } catch (error) {
    throwIfAborted(signal);
    attempts.refuse(null, backend.target, error);
    return null;
  }
}

function none(why: string, code: ErrorCode = "NO_VARIANT"): PareError {
  return new PareError(code, why, {
    hint: "Write the bundle for a target that runs here, and pass its backend.",
  });
}

function cannot(why: string): PareError {
  return none(why, "UNSUPPORTED_DEVICE");
}
