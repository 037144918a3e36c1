import type { Ort } from "./ort.js";
import { fault, inBrowser } from "./web-build.js";
import { demandModule, type EngineFiles } from "./web-files.js";

/** @throws PareError ENGINE_POLICY */
export function demandWebAssembly(): void {
  try {
    void new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch (cause) {
    throw fault(
      "ENGINE_POLICY",
      "may not compile WebAssembly here",
      "Add 'wasm-unsafe-eval' to script-src of the content security policy.",
      cause,
    );
  }
}

/** @throws PareError NOT_ISOLATED, ENGINE_THREADS where the engine cannot have as many as were asked for */
export function demandThreads({ env }: Ort, asked: number | undefined): void {
  if (asked === undefined) return;
  if (asked > 1 && !sharedMemory())
    throw fault(
      "NOT_ISOLATED",
      `cannot have ${asked} threads: the page has no SharedArrayBuffer`,
      "Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
    );
  const running = env.wasm.numThreads || asked;
  if (running !== asked)
    throw fault(
      "ENGINE_THREADS",
      `already runs with ${running} thread(s) here, not ${asked}`,
      "Give every model of a page the same threads.",
    );
}

/**
 * How many threads there will be, and the module from which they start where the engine does not know. A bundler may put
 * the engine's module together with the app's, or make it import that, and threads that start there run the app, so that
 * the engine waits for them for ever: they start from the engine's own file, or not at all.
 * @throws PareError ENGINE_NOT_FOUND
 */
export async function settleThreads(
  { mjs, given }: EngineFiles,
  asked: number | undefined,
): Promise<{ readonly threads: number; readonly paths?: { readonly mjs: string } }> {
  const threads = asked || defaultThreads();
  if (!inBrowser() || (threads === 1 && !given)) return { threads };
  try {
    await demandModule(mjs);
    return { threads, paths: { mjs: String(mjs) } };
  } catch (error) {
    if (given || asked) throw error;
    return { threads: 1 };
  }
}

function defaultThreads(): number {
  if (!inBrowser() || !sharedMemory()) return 1;
  return Math.max(1, Math.min(4, navigator.hardwareConcurrency >> 1));
}

function sharedMemory(): boolean {
  // Some browsers have none on isolated pages either, and the engine would go on with one thread.
  return !inBrowser() || typeof SharedArrayBuffer !== "undefined";
}
