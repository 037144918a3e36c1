import {
  isPareError,
  messageOf,
  PareError,
  type TargetName,
  throwIfAborted,
} from "@pare/runtime/format";
import { EngineBrowser, type LaunchOptions } from "./browser.js";
import { EngineHost } from "./host.js";
import { backendFor } from "./measured-backends.js";
import { openNodeChannel } from "./node-channel.js";

export interface Hosts {
  readonly hosts: ReadonlyMap<TargetName, EngineHost>;
  /** Targets that cannot run here, and why. */
  readonly skipped: readonly { readonly target: TargetName; readonly reason: string }[];
  /** What runs otherwise than usual, in sentences: `wasm` in Node for want of a browser. */
  readonly notes: readonly string[];
  dispose(): Promise<void>;
}

export interface HostOptions extends LaunchOptions {
  /** See `EngineHost.start`. */
  readonly patienceMs?: number | undefined;
  /** Told of each engine that has started, while others may still be starting. */
  readonly onStarted?: ((host: EngineHost) => void) | undefined;
}

/**
 * Starts the engines of targets, each in the first of its places that there is: one headless browser for all that run
 * in it, or a child process. What cannot run here is skipped with its reason, never an error.
 * @throws PareError ABORTED; then none is left
 */
export async function openHosts(
  targets: readonly TargetName[],
  { folder, signal, patienceMs, onStarted }: HostOptions = {},
): Promise<Hosts> {
  const hosts = new Map<TargetName, EngineHost>();
  const skipped: { target: TargetName; reason: string }[] = [];
  const notes: string[] = [];
  let launched: Promise<EngineBrowser | PareError> | null = null;

  const start = async (target: TargetName): Promise<EngineHost> => {
    let absent: PareError | null = null;
    for (const place of backendFor(target).places) {
      if (place === "node") {
        if (absent !== null) notes.push(`${target} runs in Node: ${sentence(absent)}`);
        return EngineHost.start(target, () => openNodeChannel(target), { patienceMs, signal });
      }
      const browser = await (launched ??= EngineBrowser.launch({ folder, signal }).catch(
        asPareError,
      ));
      throwIfAborted(signal);
      if (browser instanceof EngineBrowser)
        return EngineHost.start(target, (ending) => browser.openChannel(target, ending), {
          patienceMs,
          signal,
        });
      absent = browser;
    }
    throw absent ?? new PareError("INTERNAL", `${target} has no place to run in.`);
  };
  // Side by side: one waits for its process while another one compiles.
  const started = await Promise.allSettled(
    targets.map(async (target) => {
      const host = await start(target);
      onStarted?.(host);
      return host;
    }),
  );
  for (const [index, target] of targets.entries()) {
    const result = started[index];
    if (result?.status === "fulfilled") hosts.set(target, result.value);
    else skipped.push({ target, reason: sentence(result?.reason) });
  }
  // An engine of the CPU answers for a GPU that is emulated on it: for want of the native one, the browser's.
  const isEmulated = [...hosts.values()].some(({ software }) => software);
  if (isEmulated && !hosts.has("cpu") && !targets.includes("wasm"))
    await start("wasm").then(
      (host) => hosts.set("wasm", host),
      () => {}, // then nothing does, which is said of what it would have answered
    );
  const dispose = async (): Promise<void> => {
    await Promise.all([...hosts.values()].map((host) => host.dispose()));
    const browser = await launched;
    if (browser instanceof EngineBrowser) await browser.dispose();
  };
  if (signal?.aborted) await dispose();
  throwIfAborted(signal);
  return { hosts, skipped, notes, dispose };
}

function asPareError(error: unknown): PareError {
  return isPareError(error) ? error : new PareError("ENGINE", messageOf(error), { cause: error });
}

function sentence(error: unknown): string {
  return isPareError(error) && error.hint ? `${error.message} ${error.hint}` : messageOf(error);
}
