import { throwIfAborted } from "../format/error.js";

/**
 * Downloads a model while its engine starts. Where the engine fails, the download stops; an abort ends both at once, though
 * an engine that has begun goes on unheard.
 */
export async function sideBySide<T>(
  signal: AbortSignal | undefined,
  start: () => Promise<void> | undefined,
  download: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const stop = new AbortController();
  try {
    return await new Promise<T>((resolve, reject) => {
      signal?.addEventListener("abort", reject, { signal: stop.signal });
      Promise.all([start(), download(stop.signal)]).then(([, model]) => resolve(model), reject);
    });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    stop.abort();
  }
}
