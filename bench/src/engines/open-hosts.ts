import { isPareError, messageOf, type TargetName } from "@pare/runtime/format";
import { EngineHost } from "./host.js";
import { openNodeChannel } from "./node-channel.js";

export interface Hosts {
  readonly hosts: ReadonlyMap<TargetName, EngineHost>;
  /** Targets that cannot run here, and why. */
  readonly skipped: readonly { readonly target: TargetName; readonly reason: string }[];
  dispose(): Promise<void>;
}

/** Starts the engines of targets. What cannot run here is skipped with its reason, never an error. */
export async function openHosts(targets: readonly TargetName[]): Promise<Hosts> {
  const hosts = new Map<TargetName, EngineHost>();
  const skipped: { target: TargetName; reason: string }[] = [];
  for (const target of targets) {
    try {
      if (target === "cpu" || target === "wasm")
        hosts.set(target, await EngineHost.start(target, () => openNodeChannel(target)));
      else skipped.push({ target, reason: "not yet" });
    } catch (error) {
      skipped.push({
        target,
        reason:
          isPareError(error) && error.hint ? `${error.message} ${error.hint}` : messageOf(error),
      });
    }
  }
  return {
    hosts,
    skipped,
    async dispose() {
      await Promise.all([...hosts.values()].map((host) => host.dispose()));
    },
  };
}
