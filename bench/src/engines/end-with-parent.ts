import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * From now on this process ends within a second of its parent's end, whatever it is doing. A process in the middle of a
 * run, or in somebody's endless loop, hears neither that a pipe is closed nor anything else: a thread of its own looks.
 */
export async function endWithParent(): Promise<void> {
  const thread = new Worker(new URL("./parent-watch.js", import.meta.url), {
    workerData: process.ppid,
    execArgv: [], // those of this process are not meant for it
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  });
  await once(thread, "online");
  thread.unref();
}
