import { aborted } from "../format/error.js";

/**
 * Runs tasks one after the other: an engine's session creation and runs must not overlap ("Session already
 * started"). An abort rejects at once: a task that waits leaves the queue, one in flight ends unheard and its
 * result goes to `discard`.
 */
export class Queue {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  run<T>(task: () => Promise<T>, signal?: AbortSignal, discard?: (late: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      let settled = false;
      const onAbort = (): void => {
        settled = true;
        const position = this.#waiting.indexOf(start);
        if (position >= 0) this.#waiting.splice(position, 1);
        reject(aborted(signal));
      };
      const finish = (deliver: () => void, late?: () => void): void => {
        signal?.removeEventListener("abort", onAbort);
        this.#next();
        if (settled) late?.();
        else deliver();
      };
      const start = (): void => {
        task().then(
          (value) =>
            finish(
              () => resolve(value),
              () => discard?.(value),
            ),
          (error: unknown) => finish(() => reject(error)),
        );
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      if (this.#busy) this.#waiting.push(start);
      else {
        this.#busy = true;
        start();
      }
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }
}
