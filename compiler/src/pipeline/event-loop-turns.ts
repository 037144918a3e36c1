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
    // A message comes at the loop's next turn, a timer a millisecond later at the soonest.
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        last = performance.now();
        resolve();
      };
      port2.postMessage(null);
    });
  };
}
