import { isPareError, messageOf, PareError, type TargetName } from "@pare/runtime/format";
import { EngineBrowser } from "./browser.js";
import { EngineHost } from "./host.js";
import { openNodeChannel } from "./node-channel.js";

export interface Hosts {
  readonly hosts: ReadonlyMap<TargetName, EngineHost>;
  /** Targets that cannot run here, and why. */
  readonly skipped: readonly { readonly target: TargetName; readonly reason: string }[];
  /** What runs otherwise than usual, in sentences: `wasm` in Node for want of a browser. */
  readonly notes: readonly string[];
  dispose(): Promise<void>;
}

/**
 * Starts the engines of targets: `cpu` in a child process, `wasm` and `webgpu` in one headless browser. Without a
 * browser, `wasm` runs on onnxruntime-web in Node. What cannot run here is skipped with its reason, never an error.
 */
export async function openHosts(targets: readonly TargetName[]): Promise<Hosts> {
  const hosts = new Map<TargetName, EngineHost>();
  const skipped: { target: TargetName; reason: string }[] = [];
  const notes: string[] = [];
  const browser = targets.some((target) => target === "wasm" || target === "webgpu")
    ? await EngineBrowser.launch().catch(asPareError)
    : null;

  const start = (target: TargetName): Promise<EngineHost> => {
    switch (target) {
      case "cpu":
        return EngineHost.start(target, () => openNodeChannel(target));
      case "wasm":
        if (browser instanceof EngineBrowser)
          return EngineHost.start(target, () => browser.openChannel(target));
        notes.push(`wasm runs on onnxruntime-web in Node: ${sentence(browser)}`);
        return EngineHost.start(target, () => openNodeChannel(target));
      case "webgpu":
        if (browser instanceof EngineBrowser)
          return EngineHost.start(target, () => browser.openChannel(target));
        return Promise.reject(browser);
      case "aot":
      case "webnn":
        return Promise.reject(
          new PareError("UNSUPPORTED_DEVICE", `${target} cannot be measured yet.`),
        );
      default:
        return target satisfies never;
    }
  };
  for (const target of targets) {
    try {
      hosts.set(target, await start(target));
    } catch (error) {
      skipped.push({ target, reason: sentence(error) });
    }
  }
  return {
    hosts,
    skipped,
    notes,
    async dispose() {
      await Promise.all([...hosts.values()].map((host) => host.dispose()));
      if (browser instanceof EngineBrowser) await browser.dispose();
    },
  };
}

function asPareError(error: unknown): PareError {
  return isPareError(error) ? error : new PareError("ENGINE", messageOf(error), { cause: error });
}

function sentence(error: unknown): string {
  return isPareError(error) && error.hint ? `${error.message} ${error.hint}` : messageOf(error);
}
