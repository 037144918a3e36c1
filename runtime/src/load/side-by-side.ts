import { throwIfAborted } from "../format/error.js";
import { untilAborted } from "../format/until-aborted.js";

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
    const both = Promise.all([start(), download(stop.signal)]);
    const [, model] = await untilAborted(signal, both);
    return model;
  } finally {
    stop.abort();
  }
}
