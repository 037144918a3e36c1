import { aborted } from "../format/error.js";

/**
 * Runs tasks one after the other: an engine's session creation and runs must not overlap ("Session already
 * started"). An abort rejects at once: a task that waits is left out, one in flight ends unheard and its
 * result goes to `discard`.
 */
export class Queue {
  #last: Promise<void> = Promise.resolve();

  run<T>(task: () => Promise<T>, signal?: AbortSignal, discard?: (late: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(aborted(signal));
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort);
      this.#last = this.#last.then(async () => {
        try {
          if (signal?.aborted) return;
          const value = await task();
          resolve(value);
          if (signal?.aborted) discard?.(value);
        } catch (error) {
          reject(error);
        } finally {
          signal?.removeEventListener("abort", onAbort);
        }
      });
    });
  }
}
