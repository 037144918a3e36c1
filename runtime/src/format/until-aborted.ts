import { throwIfAborted } from "./error.js";

/**
 * What comes of it; an abort ends the waiting at once, and what was begun goes on unheard.
 * @throws PareError ABORTED
 */
export async function untilAborted<T>(
  signal: AbortSignal | undefined,
  result: Promise<T>,
): Promise<T> {
  const heard = new AbortController();
  try {
    return await new Promise<T>((resolve, reject) => {
      signal?.addEventListener("abort", reject, { signal: heard.signal });
      result.then(resolve, reject);
      if (signal?.aborted) reject();
    });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    heard.abort();
  }
}
