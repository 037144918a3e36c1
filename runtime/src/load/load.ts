import type { Artifact, NamedBytes } from "../format/engine/artifact.js";
import type { Backend, Fetch, Session, TargetName } from "../format/engine/backend.js";
import type { Incoming } from "../format/engine/incoming.js";
import { isPareError, messageOf, PareError, throwIfAborted } from "../format/error.js";
import { untilAborted } from "../format/until-aborted.js";
import { checkGolden, isChecked } from "../format/bundle/golden-check.js";
import type { BundleFile, Golden } from "../format/bundle/manifest.js";
import type { RunnableVariant } from "../format/bundle/parse-runnable.js";
import type { Feeds, Tensors } from "../format/tensor/tensor.js";
import { type Candidate, candidates } from "../select/candidates.js";
import { Attempts, LoadError } from "../session/selection.js";
import type { StatePairs } from "../format/engine/run-sync.js";
import { type Model, openModel, type SyncModel } from "../session/model.js";
import { backendsOf, type Backends, type SyncBackends } from "./backends-of.js";
import { type BundleSource, type OpenBundle, openBundle, readVerified } from "./open-bundle.js";
import { sideBySide } from "./side-by-side.js";

export interface Progress {
  readonly variant: string;
  /** Of the variant and of the engine that comes with it, decoded. */
  readonly receivedBytes: number;
  /** An engine's bytes are a guess until its server says; they are all there when both are equal. */
  readonly totalBytes: number;
}

export interface LoadModelOptions {
  /** In order of preference: `[webgpu(), wasm()]`. */
  readonly backends: Backends;
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
  /** Fetches the bundle's files and the engine's `.wasm`, in place of the global one. */
  readonly fetch?: Fetch | undefined;
}

/**
 * Loads the variant of a bundle that suits this device, its engine at the same time: verifies hashes, proves it on the
 * golden check, and goes on to the next when one cannot be used; `model.selection` says why.
 *
 * @param source in a browser a URL, in Node a path or URL, of a bundle's folder; or what its `index.js` exports
 * @throws PareError BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_VERSION, INTEGRITY (the pinned manifest), NETWORK, ABORTED,
 *   ARGUMENT; LoadError where no variant can be used: with code, hint and cause of the failure that is most worth
 *   mending (ENGINE_MISSING, INTEGRITY, …; NO_VARIANT where none was for a backend) and every attempt as `tried`
 */
export function load<
  Inputs extends object = Feeds,
  Outputs extends object = Tensors,
  State extends object = StatePairs,
>(
  source: BundleSource<Inputs, Outputs, State>,
  options: LoadModelOptions & { readonly backends: SyncBackends },
): Promise<SyncModel<Inputs, Outputs, State>>;
export function load<
  Inputs extends object = Feeds,
  Outputs extends object = Tensors,
  State extends object = StatePairs,
>(
  source: BundleSource<Inputs, Outputs, State>,
  options: LoadModelOptions,
): Promise<Model<Inputs, Outputs, State>>;
export async function load(source: BundleSource, options: LoadModelOptions): Promise<Model> {
  const backends = backendsOf(options);
  const { signal } = options;
  throwIfAborted(signal);
  const bundle = await openBundle(source, options);
  const attempts = new Attempts();
  let golden: Golden | PareError | undefined;

  for await (const candidate of candidates(bundle.manifest.variants, backends, options, attempts)) {
    const { variant, engine } = candidate;
    const { id, target } = variant;
    try {
      golden ??= await readGolden(bundle, signal);
      const { session, proven } = await prepare(bundle, candidate, golden, options);
      const reason = proven ? "passed the golden check" : "runs, unproven";
      const { tried } = attempts;
      tried.push({ variant: id, target, ok: true, reason });
      return openModel(bundle.manifest, session, {
        chosen: id,
        target,
        engine,
        proven,
        tried,
      });
    } catch (error) {
      throwIfAborted(signal);
      attempts.refuse(id, target, error);
    }
  }
  throwIfAborted(signal);
  throw new LoadError(bundle.manifest.name, attempts);
}

async function readGolden(
  bundle: OpenBundle,
  signal: AbortSignal | undefined,
): Promise<Golden | PareError> {
  try {
    return await bundle.golden(signal);
  } catch (error) {
    throwIfAborted(signal);
    // What did not come is not damaged: it may come the next time.
    if (isPareError(error) && error.code === "NETWORK") return error;
    return unproven(`is unusable: ${messageOf(error)}`, error);
  }
}

function unproven(why: string, cause?: unknown): PareError {
  return new PareError("GOLDEN", `it cannot be proven: the golden check ${why}`, {
    hint: "Copy the bundle again, as it is, or allowUnproven.",
    cause,
  });
}

async function prepare(
  bundle: OpenBundle,
  { backend, variant, engine }: Candidate,
  golden: Golden | PareError,
  options: LoadModelOptions,
): Promise<{ session: Session; proven: boolean }> {
  const known =
    !(golden instanceof PareError) &&
    golden.cases.some((each) => isChecked(each, variant.id)) &&
    golden;
  if (!known && !options.allowUnproven)
    throw golden instanceof PareError ? golden : unproven("has no values for it");
  const { signal } = options;
  const artifact = await fetchBoth(bundle, variant, backend, options);
  const loading = backend.load(artifact, { signal });
  const session = await untilAborted(signal, loading).catch((error: unknown) => {
    loading.then((late) => late.dispose()).catch(() => {});
    throw error;
  });
  if (!known) return { session, proven: false };
  try {
    await prove(known, variant, engine, bundle.manifest.golden.sha256, session, signal);
    return { session, proven: true };
  } catch (error) {
    const gone = session.dispose().catch(() => {}); // why it is refused is what there is to say
    if (!signal?.aborted) await gone; // a run that nobody waits for may still be under way
    throw error;
  }
}

/** The model's files, while its engine comes. */
async function fetchBoth(
  bundle: OpenBundle,
  variant: RunnableVariant,
  backend: Backend,
  { signal, onProgress, fetch }: LoadModelOptions,
): Promise<Artifact> {
  const files = backend.needs?.(variant.files) ?? variant.files;
  const modelBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let [model, engine, engineBytes] = [0, 0, 0];
  let over = false; // an engine may go on when its variant was given up
  const report = (): void => {
    if (over) return;
    try {
      onProgress?.({
        variant: variant.id,
        receivedBytes: model + engine,
        totalBytes: modelBytes + engineBytes,
      });
    } catch (error) {
      // As in a listener: no download failed, and who wrote it hears of it.
      over = true;
      queueMicrotask(() => {
        throw error;
      });
    }
  };
  const onBytes = (received: number, total: number): void => {
    [engine, engineBytes] = [received, total];
    report();
  };
  try {
    return await sideBySide(
      signal,
      () => backend.start?.({ onBytes, fetch, signal }),
      (stop) =>
        readVariant(bundle, { ...variant, files }, backend, stop, (received) => {
          model = received;
          report();
        }),
    );
  } finally {
    over = true;
  }
}

async function readVariant(
  bundle: OpenBundle,
  { files, format, session, requires }: RunnableVariant,
  backend: Backend,
  signal: AbortSignal,
  onBytes: (received: number) => void,
): Promise<Artifact> {
  let before = 0;
  const begun: (Incoming | undefined)[] = [];
  const read = async (file: BundleFile): Promise<NamedBytes> => {
    // A model names its external data as the bundle does: variants/<sha256>.bin is <sha256>.bin to it.
    const name = file.path.replace("variants/", "");
    const incoming = backend.receive?.(name);
    begun.push(incoming);
    const bytes = await readVerified(bundle, file, signal, (received, _total, chunk) => {
      incoming?.write(chunk, received);
      onBytes(before + received);
    });
    onBytes((before += file.bytes));
    return { name, bytes, incoming };
  };
  const [model, ...others] = files;
  try {
    const all: [NamedBytes, ...NamedBytes[]] = [await read(model)];
    for (const file of others) all.push(await read(file));
    return { format, files: all, session, requires };
  } catch (error) {
    for (const incoming of begun) incoming?.cancel();
    throw error;
  }
}

/** What passed in this realm, a page, worker or process: per engine, variant and golden check, once is enough. */
let provenHere: Set<string> | undefined;

async function prove(
  golden: Golden,
  variant: RunnableVariant,
  engine: string,
  goldenHash: string,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<void> {
  const key = JSON.stringify([engine, goldenHash, variant]);
  if (provenHere?.has(key)) return;
  const verdict = await checkGolden(golden, variant.id, variant.tolerance, (feeds) =>
    session.run(feeds, signal),
  );
  throwIfAborted(signal);
  if (!verdict.ok)
    throw new PareError("GOLDEN", `its answers here are not those recorded: ${verdict.why}`, {
      where: variant.id,
    });
  (provenHere ??= new Set()).add(key);
}
