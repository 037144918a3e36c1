import { aborted } from "../format/error.js";

/**
 * Runs tasks one after the other: an engine's session creation and runs must not overlap ("Session already
 * started"). An abort rejects at once: a task that waits is left out, one in flight ends unheard and its
 * result goes to `discard`.
 */
export class Queue {
  #last: Promise<void> = Promise.resolve();
  /** What an abort ends, by its signal: each is listened to once, since Node takes many listeners for a leak. */
  readonly #ends = new Map<EventTarget | null, Set<() => void>>();
  readonly #onAbort = ({ target }: Event): void => this.#ends.get(target)?.forEach((end) => end());

  run<T>(task: () => Promise<T>, signal?: AbortSignal, discard?: (late: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(aborted(signal));
      if (signal?.aborted) return onAbort();
      const ignore = this.#listen(signal, onAbort);
      this.#last = this.#last.then(async () => {
        try {
          if (signal?.aborted) return;
          const value = await task();
          resolve(value);
          if (signal?.aborted) discard?.(value);
        } catch (error) {
          reject(error);
        } finally {
          ignore();
        }
      });
    });
  }

  /** @returns ends it */
  #listen(signal: AbortSignal | undefined, end: () => void): () => void {
    if (!signal) return () => {};
    const ends = this.#ends.get(signal) ?? new Set();
    this.#ends.set(signal, ends.add(end));
    signal.addEventListener("abort", this.#onAbort);
    return () => {
      ends.delete(end);
      if (ends.size) return;
      this.#ends.delete(signal);
      signal.removeEventListener("abort", this.#onAbort);
    };
  }
}
