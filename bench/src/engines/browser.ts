import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import { Chromium } from "./chromium.js";
import { browserMissing, findBrowser } from "./find-browser.js";
import { Mailboxes } from "./mailbox.js";
import { ModuleServer } from "./module-server.js";
import type { Channel } from "./protocol.js";

/** A browser that was just ended may still be writing. */
const removing = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };

export interface LaunchOptions {
  /**
   * An empty one of the caller's, for what the browser writes; otherwise one is made, which stays where this process is
   * killed.
   */
  readonly folder?: string | undefined;
  /** Ends it while it starts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The system's Chromium, headless, with one page; engines are web workers in it. A worker is thrown away to end a run,
 * to give WebAssembly's memory back, and to start afresh. A browser that ended, or whose page crashed, takes all of its
 * engines with it, and is started again for the next.
 */
export class EngineBrowser {
  readonly #executable: string;
  readonly #folder: string;
  /** Whether the folder was made here. */
  readonly #isOwn: boolean;
  readonly #server: ModuleServer;
  readonly #mailboxes: Mailboxes;
  #running: Promise<Chromium> | null = null;
  #version = "";
  #isOver = false;

  private constructor(
    executable: string,
    folder: string,
    isOwn: boolean,
    server: ModuleServer,
    mailboxes: Mailboxes,
  ) {
    this.#executable = executable;
    this.#folder = folder;
    this.#isOwn = isOwn;
    if (isOwn) process.once("exit", this.#remove);
    this.#server = server;
    this.#mailboxes = mailboxes;
  }

  /** @throws PareError BROWSER_MISSING when none is installed, ENGINE when it does not start, ABORTED */
  static async launch({ folder, signal }: LaunchOptions = {}): Promise<EngineBrowser> {
    const executable = await findBrowser();
    if (executable === null) throw browserMissing();
    const made = folder ?? (await mkdtemp(join(tmpdir(), "pare-browser-")));
    const mailboxes = new Mailboxes();
    const server = await ModuleServer.start((path, request, response) =>
      mailboxes.handle(path, request, response),
    );
    const isOwn = folder === undefined;
    const launched = new EngineBrowser(executable, made, isOwn, server, mailboxes);
    try {
      await launched.#live(signal);
      return launched;
    } catch (error) {
      await launched.dispose();
      throwIfAborted(signal);
      const message = `The browser at ${executable} does not start: ${messageOf(error)}`;
      throw new PareError("ENGINE", message, {
        where: executable,
        hint: "Name another one in PARE_CHROMIUM.",
        cause: error,
      });
    }
  }

  /** `Chromium 156` */
  get name(): string {
    return `${brand(this.#executable)} ${this.#version}`;
  }

  /**
   * A new engine, in a worker of its own.
   * @throws PareError ENGINE_CRASHED where the page crashes meanwhile, or cannot be opened again
   */
  async openChannel(target: TargetName): Promise<Channel> {
    const name = `${target} in ${this.name}`;
    try {
      const chromium = await this.#live();
      return await this.#mailboxes.open(
        name,
        async (id) => {
          const query = new URLSearchParams({ channel: String(id), target, place: this.name });
          const failed = `(event) => fetch("call/${id}", { method: "DELETE", body: event.message ?? "its code did not load" })`;
          await chromium.evaluate(`{
            const worker = new Worker("bench/engines/browser-worker.bundle.js?${query}", { type: "module" });
            worker.onerror = ${failed};
            (globalThis.engines ??= {})[${id}] = worker;
          }`);
        },
        async (id) => {
          await chromium.evaluate(`globalThis.engines?.[${id}]?.terminate()`).catch(() => {}); // it may be gone already
        },
      );
    } catch (error) {
      const message = `The engine ${name} does not start: ${messageOf(error)}`;
      throw new PareError("ENGINE_CRASHED", message, {
        where: name,
        hint: "The candidate is given up; the others go on.",
        cause: error,
      });
    }
  }

  async dispose(): Promise<void> {
    this.#isOver = true;
    const running = await this.#running?.catch(() => null); // it may be about to be started again
    await running?.close();
    await this.#server.dispose();
    if (!this.#isOwn) return;
    await rm(this.#folder, removing);
    process.off("exit", this.#remove);
  }

  readonly #remove = (): void => {
    try {
      rmSync(this.#folder, removing);
    } catch {
      // The system empties its folder for temporary files.
    }
  };

  /** The browser, started where none is running. */
  #live(signal?: AbortSignal): Promise<Chromium> {
    if (this.#isOver) return Promise.reject(new Error("The browser was ended."));
    if (this.#running !== null) return this.#running;
    const running = this.#start(signal);
    this.#running = running;
    // By then another may have been started.
    running.catch(() => {
      if (this.#running === running) this.#running = null;
    });
    return running;
  }

  async #start(signal: AbortSignal | undefined): Promise<Chromium> {
    const started = await Chromium.start({
      executable: this.#executable,
      folder: this.#folder,
      url: `${this.#server.base}page.html`,
      onGone: (how) => {
        this.#running = null;
        this.#mailboxes.end(how);
      },
      signal,
    });
    this.#version = started.version;
    return started;
  }
}

function brand(path: string): string {
  if (/edge/i.test(path)) return "Edge";
  return /chrome/i.test(path) && !/chromium/i.test(path) ? "Chrome" : "Chromium";
}
