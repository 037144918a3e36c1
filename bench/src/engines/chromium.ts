import { isRecord, messageOf, throwIfAborted } from "@pare/runtime/format";
import { BrowserProcess, type BrowserOptions } from "./browser-process.js";
import { mayHaveSandbox, noSandbox } from "./chromium-flags.js";

/** A machine that does other things as well may take many times as long as the usual third of a second. */
const startsWithinMs = 120_000;

export interface ChromiumOptions extends Pick<BrowserOptions, "executable" | "folder"> {
  /** Of its page. */
  readonly url: string;
  /** Told how it ended, once, and at once; where it does not start, nothing is told. */
  readonly onGone: (how: string) => void;
  /** Ends it while it starts. */
  readonly signal?: AbortSignal | undefined;
}

/** A browser with one page, which is all that it is there for: it ends when the page crashes. */
export class Chromium {
  /** `156` */
  readonly version: string;
  readonly #process: BrowserProcess;
  /** The page's name in DevTools' messages. */
  readonly #session: string;

  private constructor(process: BrowserProcess, version: string, session: string) {
    this.#process = process;
    this.version = version;
    this.#session = session;
  }

  /** @throws Error where it does not start, or its page does not open; then nothing of it is left */
  static async start(options: ChromiumOptions): Promise<Chromium> {
    if (!mayHaveSandbox()) return Chromium.#start(options, false);
    // Without one it is no more dangerous than the engine in Node, which never has any.
    return Chromium.#start(options, true).catch((error: unknown) => {
      if (!noSandbox.test(messageOf(error)) || options.signal?.aborted) throw error;
      return Chromium.#start(options, false);
    });
  }

  static async #start(
    { executable, folder, url, onGone, signal }: ChromiumOptions,
    isSandboxed: boolean,
  ): Promise<Chromium> {
    throwIfAborted(signal);
    let how = "the browser ended";
    let isStarted = false;
    const browser = await BrowserProcess.start({
      executable,
      folder,
      isSandboxed,
      onEvent(event) {
        if (event !== "Inspector.targetCrashed") return;
        how = "its page crashed, most often for want of memory";
        browser.kill();
      },
      onEnd() {
        if (isStarted) onGone(how);
      },
    });
    let isLate = false;
    const watch = setTimeout(() => {
      isLate = true;
      browser.kill();
    }, startsWithinMs);
    const stop = (): void => browser.kill();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const { devTools } = browser;
      const product = text(await devTools.call("Browser.getVersion"), "product");
      const targetId = text(
        pageIn(await devTools.call("Target.getTargets")) ??
          (await devTools.call("Target.createTarget", { url: "about:blank" })),
        "targetId",
      );
      const attach = { targetId, flatten: true };
      const session = text(await devTools.call("Target.attachToTarget", attach), "sessionId");
      await devTools.call("Inspector.enable", {}, session); // then it tells of a crash
      const opened = await devTools.call("Page.navigate", { url }, session);
      if (isRecord(opened) && opened["errorText"] !== undefined)
        throw new Error(`Its page does not open: ${JSON.stringify(opened["errorText"])}`);
      throwIfAborted(signal);
      isStarted = true;
      return new Chromium(browser, /\/(\d+)/.exec(product)?.[1] ?? product, session);
    } catch (error) {
      browser.kill();
      await browser.close();
      throwIfAborted(signal);
      throw isLate ? new Error(`It takes longer than ${startsWithinMs / 1000} s.`) : error;
    } finally {
      clearTimeout(watch);
      signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * Runs a script in the page, and waits for nothing that it starts.
   * @throws Error where the script does, or the browser is gone
   */
  async evaluate(expression: string): Promise<void> {
    const { devTools } = this.#process;
    const done = await devTools.call("Runtime.evaluate", { expression }, this.#session);
    if (isRecord(done) && done["exceptionDetails"] !== undefined)
      throw new Error(`The page's script failed: ${JSON.stringify(done["exceptionDetails"])}`);
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}

/** The page that comes with a browser: another would have to be waited for. */
function pageIn(targets: unknown): unknown {
  const infos = isRecord(targets) ? targets["targetInfos"] : undefined;
  return Array.isArray(infos)
    ? infos.find((each: unknown) => isRecord(each) && each["type"] === "page")
    : undefined;
}

/** A text that the protocol promises. */
function text(answer: unknown, name: string): string {
  const value = isRecord(answer) ? answer[name] : undefined;
  if (typeof value !== "string") throw new Error(`The browser's answer has no ${name}.`);
  return value;
}
