import { once } from "node:events";
import { messageOf, PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import { Chromium } from "./chromium.js";
import { engineCrashed } from "./engine-crashed.js";
import { browserMissing, findBrowser } from "./find-browser.js";
import { Mailboxes } from "./mailbox.js";
import { ModuleServer } from "./module-server.js";
import { givenFolder, ownFolder, type ProfileFolder } from "./profile-folder.js";
import type { Channel } from "./protocol.js";

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
  readonly #folder: ProfileFolder;
  readonly #server: ModuleServer;
  readonly #mailboxes: Mailboxes;
  #running: Promise<Chromium> | null = null;
  #version = "";
  /** Ends what is starting, and starts no more. */
  readonly #over = new AbortController();

  private constructor(
    executable: string,
    folder: ProfileFolder,
    server: ModuleServer,
    mailboxes: Mailboxes,
  ) {
    this.#executable = executable;
    this.#folder = folder;
    this.#server = server;
    this.#mailboxes = mailboxes;
  }

  /** @throws PareError BROWSER_MISSING when none is installed, ENGINE when it does not start, ABORTED */
  static async launch({ folder, signal }: LaunchOptions = {}): Promise<EngineBrowser> {
    const executable = await findBrowser();
    if (executable === null) throw browserMissing();
    const mailboxes = new Mailboxes();
    const server = await ModuleServer.start((path, request, response) =>
      mailboxes.handle(path, request, response),
    );
    const own = folder === undefined ? ownFolder() : givenFolder(folder);
    const launched = new EngineBrowser(executable, own, server, mailboxes);
    try {
      await orAborted(launched.#live(), signal);
      return launched;
    } catch (error) {
      await launched.dispose();
      throwIfAborted(signal);
      const why = messageOf(error).trimEnd().replace(/\.?$/, ".");
      const message = `The browser at ${executable} does not start: ${why}`;
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
   * @throws PareError ENGINE_CRASHED where the page crashes meanwhile, or cannot be opened again; ABORTED
   */
  async openChannel(target: TargetName, signal?: AbortSignal): Promise<Channel> {
    const name = `${target} in ${this.name}`;
    try {
      const chromium = await orAborted(this.#live(), signal);
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
          const ended = `globalThis.engines?.[${id}]?.terminate(); delete globalThis.engines?.[${id}];`;
          await chromium.evaluate(ended).catch(() => {}); // it may be gone already
        },
      );
    } catch (error) {
      throwIfAborted(signal);
      const message = `The engine ${name} does not start: ${messageOf(error)}`;
      throw engineCrashed(message, name, { cause: error });
    }
  }

  async dispose(): Promise<void> {
    this.#over.abort();
    const running = await this.#running?.catch(() => null); // it may have been starting
    await running?.close();
    await this.#server.dispose();
    await this.#folder.remove();
  }

  /** The browser, started where none is running. */
  #live(): Promise<Chromium> {
    if (this.#over.signal.aborted) return Promise.reject(new Error("The browser was ended."));
    if (this.#running !== null) return this.#running;
    const running = this.#start();
    this.#running = running;
    // By then another may have been started.
    running.catch(() => {
      if (this.#running === running) this.#running = null;
    });
    return running;
  }

  async #start(): Promise<Chromium> {
    const started = await Chromium.start({
      executable: this.#executable,
      folder: this.#folder.path,
      url: `${this.#server.base}page.html`,
      onGone: (how) => {
        this.#running = null;
        this.#mailboxes.end(how);
      },
      signal: this.#over.signal,
    });
    this.#version = started.version;
    return started;
  }
}

/** What others may wait for as well is given up, and not ended. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  throwIfAborted(signal);
  const settled = new AbortController();
  try {
    await Promise.race([work, once(signal, "abort", settled)]);
    throwIfAborted(signal);
    return await work;
  } finally {
    settled.abort();
  }
}

function brand(path: string): string {
  if (/edge/i.test(path)) return "Edge";
  return /chrome/i.test(path) && !/chromium/i.test(path) ? "Chrome" : "Chromium";
}
