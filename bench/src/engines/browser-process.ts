import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { join } from "node:path";
import { DevToolsPipe } from "./devtools-pipe.js";

const stderrKept = 4096;
/** How long it has to end by itself. */
const patienceMs = 5_000;

/**
 * Ctrl-C in a terminal goes to the whole group of the process that it interrupts: a browser has a group of its own, so
 * that it is this process which ends it. Windows has no such groups.
 */
const isGrouped = process.platform !== "win32";

/** A headless Chromium, Chrome or Edge. It ends with this process, however that ends: its pipe does too. */
export class BrowserProcess {
  readonly devTools: DevToolsPipe;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, devTools: DevToolsPipe, onEnd: () => void) {
    this.#child = child;
    this.devTools = devTools;
    const kill = (): void => this.kill();
    process.once("exit", kill);
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-stderrKept);
    });
    child.once("exit", kill); // what it started
    this.#ended = new Promise((resolve) => {
      child.once("close", (status, signal) => {
        process.off("exit", kill);
        const how = signal ? `was ended by ${signal}` : `ended with status ${status}`;
        const last = said.trim().split("\n").at(-1) ?? "";
        devTools.end(new Error(`It ${how}${last && `: ${last}`}`));
        onEnd();
        resolve();
      });
    });
  }

  /**
   * @param folder for its profile and its temporary files; no other browser may be using it
   * @param onEvent see `DevToolsPipe`
   * @param onEnd told when it has ended
   * @throws Error where the system does not start it
   */
  static async start(
    executable: string,
    folder: string,
    onEvent: (method: string) => void,
    onEnd: () => void,
  ): Promise<BrowserProcess> {
    const child = spawn(executable, flags(join(folder, "profile")), {
      env: { ...process.env, TMPDIR: folder },
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

/** Features of the window that nobody sees, and of a web that is not visited: two have pages of their own. */
const needless = [
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "MediaRouter",
  "OptimizationHints",
  "PreconnectToSearch",
  "Translate",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
];

/**
 * What automation of Chromium needs: that it asks nobody, tells nobody, and slows nothing down that is not looked at.
 * https://github.com/GoogleChrome/chrome-launcher/blob/main/docs/chrome-flags-for-tools.md
 */
function flags(profile: string): string[] {
  const quiet = [
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    `--disable-features=${needless.join()}`,
    "--disable-field-trial-config",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--edge-skip-compat-layer-relaunch",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
  ];
  const steady = [
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-dev-shm-usage",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-renderer-backgrounding",
  ];
  // It refuses to start as root with one.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return [
    "--headless",
    "--remote-debugging-pipe",
    `--user-data-dir=${profile}`,
    "--enable-unsafe-webgpu",
    "--enable-unsafe-swiftshader",
    ...quiet,
    ...steady,
    ...sandbox,
    "about:blank",
  ];
}
