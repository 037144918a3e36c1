import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumFlags } from "./chromium-flags.js";
import { DevToolsPipe } from "./devtools-pipe.js";

const stderrKept = 8192;
/** How long it has to end by itself. */
const patienceMs = 5_000;
/** For its last words: what it started outside of its group may hold its output when it has ended. */
const lastWordsMs = 1_000;

/**
 * Ctrl-C in a terminal goes to the whole group of the process that it interrupts: a browser has a group of its own, so
 * that it is this process which ends it. Windows has no such groups.
 */
const isGrouped = process.platform !== "win32";

export interface BrowserOptions {
  readonly executable: string;
  /** For its profile, and its temporary files where the system allows; no other browser may be using it. */
  readonly folder: string;
  readonly isSandboxed: boolean;
  /** See `DevToolsPipe`. */
  readonly onEvent: (method: string) => void;
  /** Told when it has ended. */
  readonly onEnd: () => void;
}

/** A headless Chromium, Chrome or Edge. It ends with this process, however that ends: its pipe does too. */
export class BrowserProcess {
  readonly devTools: DevToolsPipe;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, devTools: DevToolsPipe, onEnd: () => void) {
    this.#child = child;
    this.devTools = devTools;
    const kill = (): void => this.kill();
    process.prependOnceListener("exit", kill); // before its folder is removed
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-stderrKept);
    });
    child.once("exit", kill); // what it started
    this.#ended = new Promise((resolve) => {
      child.once("exit", (status, signal) => {
        process.off("exit", kill);
        const tell = (): void => {
          clearTimeout(timer);
          child.off("close", tell);
          for (const stream of child.stdio) stream?.destroy();
          const how = signal ? `was ended by ${signal}` : `ended with status ${status}`;
          const reason = reasonIn(said);
          devTools.end(new Error(`It ${how}${reason && `: ${reason}`}`));
          onEnd();
          resolve();
        };
        const timer = setTimeout(tell, lastWordsMs);
        child.once("close", tell);
      });
    });
  }

  /** @throws Error where the system does not start it */
  static async start({
    executable,
    folder,
    isSandboxed,
    onEvent,
    onEnd,
  }: BrowserOptions): Promise<BrowserProcess> {
    const flags = chromiumFlags(join(folder, "profile"), isSandboxed);
    const child = spawn(executable, flags, {
      env: { ...process.env, TMPDIR: temporaryFiles(folder) },
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      detached: isGrouped,
    });
    await once(child, "spawn");
    const [, , , input, output] = child.stdio;
    if (!(input instanceof Socket && output instanceof Socket))
      throw new TypeError("It was started without its pipes.");
    return new BrowserProcess(child, new DevToolsPipe(input, output, onEvent), onEnd);
  }

  /** Asks it to end, and ends it where it does not. */
  async close(): Promise<void> {
    this.devTools.call("Browser.close").catch(() => {}); // it may be gone already
    const timer = setTimeout(() => this.kill(), patienceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends it, with all processes that it started, at once. */
  kill(): void {
    const { pid } = this.#child;
    try {
      if (isGrouped && pid !== undefined) process.kill(-pid, "SIGKILL");
      else this.#child.kill("SIGKILL");
    } catch {
      // It is gone.
    }
  }
}

/** Of the path of a socket, with what Chromium appends: the least that a system allows is macOS's. */
const longestPath = 103 - "/org.chromium.Chromium.123456/SingletonSocket".length;

function temporaryFiles(folder: string): string {
  return [folder, tmpdir()].find((path) => Buffer.byteLength(path) <= longestPath) ?? "/tmp";
}

/** Of all that a browser says before it ends, much of it about what it does without: what it could not do without. */
function reasonIn(said: string): string {
  const lines = said.trim().split("\n");
  const line = lines.find((each) => each.includes(":FATAL:")) ?? lines.at(-1) ?? "";
  return line.replace(/^\[[^\]]*\]\s*/, "");
}
