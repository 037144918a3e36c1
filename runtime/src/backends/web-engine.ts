import type { Backend, StartOptions } from "../format/engine/backend.js";
import { throwIfAborted } from "../format/error.js";
import { checkOptions } from "./check-options.js";
import { importEngine, type Ort } from "./ort.js";
import { createSession, queue } from "./ort-session.js";
import { startSmallest } from "./start-smallest.js";
import { engine, type WebBuild, type WebOptions } from "./web-build.js";
import { fetchWasm, findFiles } from "./web-files.js";
import { demandThreads, demandWebAssembly, settleThreads } from "./web-threads.js";

/**
 * A backend but for its probe.
 * @throws PareError ARGUMENT
 */
export function webBackend(build: WebBuild, options: WebOptions): Omit<Backend, "probe"> {
  checkOptions(build.provider, options, ["threads", "wasmPaths"]);
  return {
    target: build.provider,
    engine,
    async start(how) {
      await started(build, options, how);
    },
    // Given as a bare string, the WebGPU provider ignores enableGraphCapture.
    load: async (artifact, { threads = options.threads, signal } = {}) =>
      createSession(
        await started(build, { ...options, threads }),
        engine,
        artifact,
        { executionProviders: [{ name: build.provider }] },
        { signal },
      ),
  };
}

export function importBuild(build: WebBuild): Promise<Ort> {
  return importEngine(engine, () => build.import());
}

/** The start of a build in this realm. */
interface Start {
  /** How many wait for it. */
  waiting: number;
  readonly stop: AbortController;
  ready?: Promise<Ort>;
  over?: boolean;
  /** The engine itself was asked. It starts only once: what came of it holds. */
  final?: boolean;
}

let starts: Map<WebBuild, Start> | undefined;

/** Of an option that names a folder; to the engine it is what addresses begin with. */
function folder(paths: WebOptions["wasmPaths"]): WebOptions["wasmPaths"] {
  return typeof paths === "string" ? paths.replace(/[^/]$/, "$&/") : paths;
}

/** Starts a build, or waits for it. What failed before the engine itself was asked is tried again. */
async function started(
  build: WebBuild,
  options: WebOptions,
  { onBytes, fetch, signal }: StartOptions = {},
): Promise<Ort> {
  const all = (starts ??= new Map());
  const start = all.get(build) ?? { waiting: 0, stop: new AbortController() };
  all.set(build, start);
  start.waiting++;
  const forget = (): void => {
    if (!start.final && all.get(build) === start) all.delete(build);
  };
  const leave = (): void => {
    if (--start.waiting) return;
    forget();
    start.stop.abort();
  };
  signal?.addEventListener("abort", leave);
  if (signal?.aborted) leave();
  let [bytes, total] = [0, build.bytes];
  const tell = start.over ? undefined : onBytes;
  tell?.(bytes, total);
  start.ready ??= begin(build, options, start, fetch, (received, whole = total) => {
    bytes = received;
    total = Math.max(whole, received + 1); // it is not all there before the engine has started
    tell?.(bytes, total);
  });
  try {
    const ort = await start.ready;
    total = bytes || total;
    tell?.(total, total);
    demandThreads(ort, options.threads);
    return ort;
  } catch (error) {
    forget();
    throw error;
  } finally {
    signal?.removeEventListener("abort", leave);
    start.over = true;
  }
}

async function begin(
  build: WebBuild,
  { threads: asked, wasmPaths }: WebOptions,
  start: Start,
  fetch: StartOptions["fetch"],
  onBytes: (received: number, total?: number) => void,
): Promise<Ort> {
  const ort = await importBuild(build);
  demandThreads(ort, asked);
  demandWebAssembly();
  const flags = ort.env.wasm;
  const given = flags.wasmPaths ?? folder(wasmPaths);
  const files = findFiles(build, given);
  const { signal } = start.stop;
  // Flags are every start's: what was given up for another leaves none.
  const binary =
    files.wasm && !flags.wasmBinary
      ? await fetchWasm(files.wasm, { onBytes, fetch, signal })
      : flags.wasmBinary;
  const { threads, paths = given } = await settleThreads(files, asked || flags.numThreads);
  throwIfAborted(signal);
  if (binary) flags.wasmBinary = binary;
  flags.numThreads = threads;
  if (threads > 1) flags.initTimeout ??= 30_000; // it waits for them without end
  if (paths) flags.wasmPaths = typeof paths === "string" ? paths : { ...paths };
  start.final = true;
  try {
    await queue().run(() => startSmallest(ort, build.provider));
  } finally {
    delete flags.wasmBinary;
  }
  return ort;
}
