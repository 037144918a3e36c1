import type { Artifact, NamedBytes } from "../format/engine/artifact.js";
import type { Backend, Session, TargetName } from "../format/engine/backend.js";
import type { BundleModule } from "../format/bundle/bundle-module.js";
import { messageOf, PareError, throwIfAborted } from "../format/error.js";
import { checkGolden } from "../format/bundle/golden-check.js";
import type { Golden, VariantEntry } from "../format/bundle/manifest.js";
import type { Feeds, Tensors } from "../format/tensor/tensor.js";
import { type Candidate, candidates } from "../select/candidates.js";
import { type Attempt, noVariant } from "../session/selection.js";
import { type Model, openModel } from "../session/model.js";
import { isAbort, type OpenBundle, openBundle, readVerified } from "./open-bundle.js";

export interface Progress {
  readonly variant: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface LoadModelOptions {
  /** In order of preference. */
  readonly backends: readonly Backend[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** sha256 of manifest.json, 64 hex digits: with it, everything that runs is what was pinned. */
  readonly integrity?: string | undefined;
  /** Only variants for this target. */
  readonly target?: TargetName | undefined;
  /** Let a GPU that is emulated on the CPU take its turn; otherwise it comes last. */
  readonly allowSoftwareGpu?: boolean | undefined;
  /** Run variants whose golden check is damaged or absent. A check that fails refuses a variant in any case. */
  readonly allowUnproven?: boolean | undefined;
}

/**
 * Loads the variant of a bundle that suits this device: verifies hashes, proves it on the golden check, and
 * goes on to the next when one cannot be used; `model.selection` says why.
 *
 * @param source in a browser a URL, in Node a path or URL, of a bundle's folder; or what its `index.js` exports
 * @throws PareError BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_VERSION, INTEGRITY (the pinned manifest), NETWORK,
 *   NO_VARIANT with every reason, ABORTED
 */
export async function load<Inputs extends object = Feeds, Outputs extends object = Tensors>(
  source: string | URL | BundleModule<Inputs, Outputs>,
  options: LoadModelOptions,
): Promise<Model<Inputs, Outputs>> {
  const { signal } = options;
  throwIfAborted(signal);
  const bundle = await openBundle(source, options.integrity, signal);
  const tried: Attempt[] = [];
  let golden: Golden | PareError | undefined;

  for await (const candidate of candidates(
    bundle.manifest.variants,
    options.backends,
    options,
    (attempt) => tried.push(attempt),
  )) {
    const { variant, engine } = candidate;
    const { target } = variant;
    try {
      golden ??= await readGolden(bundle, signal);
      const { session, proven } = await prepare(bundle, candidate, golden, options);
      tried.push({
        variant: variant.id,
        target,
        ok: true,
        reason: proven ? "passed the golden check" : "runs, unproven",
      });
      return openModel<Inputs, Outputs>(bundle.manifest, session, {
        chosen: variant.id,
        target,
        engine,
        proven,
        tried,
      });
    } catch (error) {
      throwIfAborted(signal);
      tried.push({ variant: variant.id, target, ok: false, reason: messageOf(error) });
    }
  }
  throwIfAborted(signal);
  throw noVariant(bundle.manifest.name, tried);
}

async function readGolden(
  bundle: OpenBundle,
  signal: AbortSignal | undefined,
): Promise<Golden | PareError> {
  try {
    return await bundle.golden(signal);
  } catch (error) {
    if (isAbort(error)) throw error;
    return new PareError(
      "GOLDEN",
      `it cannot be proven, because the golden check is unusable: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function prepare(
  bundle: OpenBundle,
  { backend, variant, engine }: Candidate,
  golden: Golden | PareError,
  options: LoadModelOptions,
): Promise<{ session: Session; proven: boolean }> {
  const known = !(golden instanceof PareError) && hasValues(golden, variant.id) ? golden : null;
  if (known === null && options.allowUnproven !== true) {
    throw golden instanceof PareError
      ? golden
      : new PareError(
          "GOLDEN",
          "it cannot be proven, because the golden check has no values for it",
        );
  }
  const artifact = await readVariant(bundle, variant, options);
  const session = await backend.load(artifact, options.signal ? { signal: options.signal } : {});
  if (known === null) return { session, proven: false };
  try {
    await prove(known, variant, engine, bundle.manifest.golden.sha256, session, options.signal);
    return { session, proven: true };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

async function readVariant(
  bundle: OpenBundle,
  variant: VariantEntry,
  { signal, onProgress }: LoadModelOptions,
): Promise<Artifact> {
  const totalBytes = variant.files.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  const read: NamedBytes[] = [];
  for (const file of variant.files) {
    const bytes = await readVerified(bundle.locate(file), file, signal, (received) =>
      onProgress?.({ variant: variant.id, receivedBytes: before + received, totalBytes }),
    );
    before += file.bytes;
    onProgress?.({ variant: variant.id, receivedBytes: before, totalBytes });
    // A model names its external data as the bundle does: variants/<sha256>.bin is <sha256>.bin to it.
    read.push({ name: file.path.replace("variants/", ""), bytes });
  }
  const [model, ...rest] = read;
  if (model === undefined)
    throw new PareError("BUNDLE_INVALID", `Variant ${variant.id} has no file.`, {
      where: variant.id,
    });
  const { format, session, requires } = variant;
  return { format, files: [model, ...rest], session, requires };
}

function hasValues(golden: Golden, id: string): boolean {
  return golden.cases.some(({ outputs }) =>
    outputs.some((output) => (output.values[id]?.length ?? 0) > 0),
  );
}

/** What passed in this realm: per device and engine, variant and golden check, once is enough. */
let provenHere: Set<string> | undefined;

async function prove(
  golden: Golden,
  variant: VariantEntry,
  engine: string,
  goldenHash: string,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<void> {
  const key = [
    engine,
    JSON.stringify(variant.session),
    variant.id,
    goldenHash,
    ...variant.files.map((file) => file.sha256),
  ].join();
  if (provenHere?.has(key)) return;
  const verdict = await checkGolden(golden, variant.id, variant.tolerance, (feeds) =>
    session.run(feeds, signal),
  );
  throwIfAborted(signal);
  if (!verdict.ok)
    throw new PareError(
      "GOLDEN",
      `its answers here are not those that were recorded: ${verdict.why}`,
      { where: variant.id },
    );
  (provenHere ??= new Set()).add(key);
}
