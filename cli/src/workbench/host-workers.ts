import { availableParallelism } from "node:os";
import type { Workers } from "@pare/compiler";
import { type EngineHost, executor, type Hosts, openHosts } from "@pare/bench";
import { PareError } from "@pare/runtime/format";

/** Further processes with the same engine, for a recipe that asks for workers. Undefined where a browser is the engine. */
export function hostWorkers({ target }: EngineHost): Workers | undefined {
  if (target !== "cpu") return undefined;
  return {
    most: availableParallelism(),
    async open(count) {
      const opened: Hosts[] = [];
      const close = async (): Promise<void> =>
        void (await Promise.all(opened.map((hosts) => hosts.dispose())));
      try {
        // One after the other, so that those that started are known when the next does not.
        while (opened.length < count) opened.push(await openHosts([target]));
        return {
          executors: opened.map(({ hosts, skipped }) => one(hosts.get(target), skipped)),
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

function one(host: EngineHost | undefined, skipped: Hosts["skipped"]): ReturnType<typeof executor> {
  if (host !== undefined) return executor(host);
  throw new PareError("UNSUPPORTED_DEVICE", `A worker did not start: ${skipped[0]?.reason ?? ""}`, {
    hint: "Train with one worker.",
  });
}
