import { throwIfAborted } from "@pare/runtime/format";

/** Work goes on for so long between two turns. */
const everyMs = 50;

/**
 * For loops that may take seconds and wait for nothing: without a turn of the event loop now and then, no signal, timer or
 * message gets through, and Ctrl-C least of all.
 * @returns to be called in the loop; what it gives is waited for
 * @throws what `throwIfAborted` throws
 */
export function eventLoopTurns(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    throwIfAborted(signal);
    if (performance.now() - last < everyMs) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        last = performance.now();
        resolve();
      });
    });
  };
}
