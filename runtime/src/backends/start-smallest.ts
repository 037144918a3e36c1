import { messageOf, type PareError } from "../format/error.js";
import type { Ort } from "./ort.js";
import { fault, type WebBuild } from "./web-build.js";
import { aPage, notFound } from "./web-files.js";

/** ONNX: y = Abs(x), in opset 13. */
// prettier-ignore
const smallest = [
  8, 8, 66, 2, 16, 13, 58, 29, 10, 11, 10, 1, 120, 18, 1, 121, 34, 3, 65, 98, 115, 90, 9, 10, 1, 120, 18, 4, 10, 2, 8, 1, 98,
  3, 10, 1, 121,
];

/** Where threads never start, nothing more comes of the engine. */
const timeoutMs = 30_000;
/** What may be left of that when a thread is seen to end. */
const graceMs = 3_000;

/**
 * Starts the engine with the smallest model, while the app's own may be on its way.
 * @throws PareError ENGINE_START where nothing comes of it in time, or a thread ends; ENGINE_NOT_FOUND, ENGINE_PAGE
 */
export async function startSmallest(
  { env: { wasm }, InferenceSession }: Ort,
  name: WebBuild["provider"],
): Promise<void> {
  const watch = new AbortController();
  const { signal } = watch;
  try {
    await new Promise<void>((resolve, reject) => {
      if (Number(wasm.numThreads) > 1) {
        wasm.initTimeout ??= timeoutMs;
        // A worker's error comes here without what was thrown, or as the event that the engine throws again.
        const onError = ({ error, message }: ErrorEvent): void => {
          if (!(error instanceof Error))
            setTimeout(() => reject(failure(`a thread ended: ${message}`)), graceMs);
        };
        globalThis.addEventListener?.("error", onError, { signal });
      }
      const options = { executionProviders: [{ name }], logSeverityLevel: 4 } as const;
      InferenceSession.create(Uint8Array.from(smallest), options).then(
        (session) => resolve(session.release()),
        (cause: unknown) => reject(failure(cause)),
      );
    });
  } finally {
    watch.abort();
  }
}

/** In the engine's words, where it looked for its files by itself. */
function failure(cause: unknown): PareError {
  const said = messageOf(cause);
  if (/magic word|MIME/.test(said)) return aPage(cause);
  if (/4\d\d : |[Ff]etch|NetworkError|Load failed|imported module|ENOENT/.test(said))
    return notFound(cause);
  return fault(
    "ENGINE_START",
    `did not start: ${said}`,
    "If threads were asked for, give wasmPaths with mjs and wasm: in a bundle they may start as the app.",
    cause,
  );
}
