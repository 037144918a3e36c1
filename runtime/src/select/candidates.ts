import type { Backend, Probe, TargetName } from "../format/engine/backend.js";
import { messageOf } from "../format/error.js";
import type { VariantEntry } from "../format/bundle/manifest.js";
import { missingFeatures } from "./device-features.js";
import type { Attempt } from "../session/selection.js";

export interface Candidate {
  readonly backend: Backend;
  readonly variant: VariantEntry;
  /** Engine and version, as probed. */
  readonly engine: string;
}

export interface CandidateOptions {
  readonly target?: TargetName | undefined;
  readonly allowSoftwareGpu?: boolean | undefined;
}

/**
 * What can be tried, best first: the caller's order of backends, within one the manifest's order of variants.
 * Software GPUs come last unless asked for. Lazy: an engine is probed, and so imported, when its turn comes.
 */
export async function* candidates(
  variants: readonly VariantEntry[],
  backends: readonly Backend[],
  options: CandidateOptions,
  reject: (attempt: Attempt) => void,
): AsyncGenerator<Candidate> {
  const wanted = backends.filter(
    ({ target }) => options.target === undefined || target === options.target,
  );
  if (wanted.length === 0 && options.target !== undefined) {
    reject({
      variant: null,
      target: options.target,
      ok: false,
      reason: "no backend for this target was passed",
    });
  }
  const last: (() => Generator<Candidate>)[] = [];
  for (const backend of wanted) {
    const { target } = backend;
    const own = variants.filter((variant) => variant.target === target);
    if (own.length === 0) {
      reject({
        variant: null,
        target,
        ok: false,
        reason: "the bundle has no variant for this target",
      });
      continue;
    }
    const probe = await probeSafely(backend);
    if (!probe.ok) {
      reject({ variant: null, target, ok: false, reason: probe.why });
      continue;
    }
    const fitting = (): Generator<Candidate> => fittingVariants(backend, own, probe, reject);
    const software =
      probe.software === true && options.allowSoftwareGpu !== true && options.target === undefined;
    if (software) last.push(fitting);
    else yield* fitting();
  }
  for (const fitting of last) yield* fitting();
}

function* fittingVariants(
  backend: Backend,
  variants: readonly VariantEntry[],
  probe: Extract<Probe, { ok: true }>,
  reject: (attempt: Attempt) => void,
): Generator<Candidate> {
  for (const variant of variants) {
    const missing = missingFeatures(variant.requires.features, probe.features);
    if (missing.length === 0) yield { backend, variant, engine: probe.engine };
    else
      reject({
        variant: variant.id,
        target: backend.target,
        ok: false,
        reason: `the device lacks ${missing.join(", ")}`,
      });
  }
}

async function probeSafely(backend: Backend): Promise<Probe> {
  try {
    return await backend.probe();
  } catch (error) {
    return { ok: false, why: messageOf(error) };
  }
}
