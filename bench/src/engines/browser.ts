import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { messageOf, PareError, type TargetName } from "@pare/runtime/format";
import type { Browser, BrowserType, LaunchOptions, Page } from "playwright-core";
import { browserMissing, findBrowser } from "./find-browser.js";
import { Mailboxes } from "./mailbox.js";
import { ModuleServer } from "./module-server.js";
import type { Channel } from "./protocol.js";

/** Required, and when it is needed: to import this bundle of CommonJS, Node would first search its megabytes for names. */
function playwright(): typeof import("playwright-core") {
  return createRequire(import.meta.url)("playwright-core");
}

/**
 * One headless Chromium of the system's with one page; engines are web workers in it. A worker is thrown away to end
 * a run, to give WebAssembly's memory back, and to start afresh. A page that crashed, or a browser that ended, takes all
 * of its engines with it, and is started again for the next.
 */
export class EngineBrowser {
  /** `Chromium 156` */
  readonly name: string;
  readonly #launch: () => Promise<Browser>;
  readonly #server: ModuleServer;
  readonly #mailboxes: Mailboxes;
  #browser: Browser;
  #page: Promise<Page> | null = null;
  #isOver = false;

  private constructor(
    name: string,
    browser: Browser,
    launch: () => Promise<Browser>,
    server: ModuleServer,
    mailboxes: Mailboxes,
  ) {
    this.name = name;
    this.#browser = this.#watched(browser);
    this.#launch = launch;
    this.#server = server;
    this.#mailboxes = mailboxes;
  }

  /**
   * @param folder an empty one of the caller's, for all that the browser writes; otherwise it makes some of its own,
   * which stay where this process is killed
   * @throws PareError BROWSER_MISSING when none is installed, ENGINE when it does not start
   */
  static async launch(folder?: string): Promise<EngineBrowser> {
    const executablePath = await findBrowser();
    if (executablePath === null) throw browserMissing();
    const { chromium } = playwright();
    const mailboxes = new Mailboxes();
    const server = await ModuleServer.start((path, request, response) =>
      mailboxes.handle(path, request, response),
    );
    let browser: Browser | undefined;
    try {
      const options = {
        executablePath,
        args: flags(),
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      };
      const launch = (): Promise<Browser> =>
        folder === undefined ? chromium.launch(options) : launchIn(folder, chromium, options);
      browser = await launch();
      const name = `${brand(executablePath)} ${browser.version().split(".")[0]}`;
      const started = new EngineBrowser(name, browser, launch, server, mailboxes);
      await started.#livePage();
      return started;
    } catch (error) {
      await browser?.close().catch(() => {}); // it may have crashed
      await server.dispose();
      const message = `The browser at ${executablePath} does not start: ${shortly(error)}`;
      throw new PareError("ENGINE", message, {
        where: executablePath,
        hint: "Name another one in PARE_CHROMIUM.",
        cause: error,
      });
    }
  }

  /**
   * A new engine, in a worker of its own.
   * @throws PareError ENGINE_CRASHED where the page crashes meanwhile, or cannot be opened again
   */
  async openChannel(target: TargetName): Promise<Channel> {
    const name = `${target} in ${this.name}`;
    try {
      const page = await this.#livePage();
      return await this.#mailboxes.open(
        name,
        async (id) => {
          const query = new URLSearchParams({ channel: String(id), target, place: this.name });
          const failed = `(event) => fetch("call/${id}", { method: "DELETE", body: event.message ?? "its code did not load" })`;
          await page.evaluate(`{
            const worker = new Worker("bench/engines/browser-worker.bundle.js?${query}", { type: "module" });
            worker.onerror = ${failed};
            (globalThis.engines ??= {})[${id}] = worker;
          }`);
        },
        async (id) => {
          await page.evaluate(`globalThis.engines?.[${id}]?.terminate()`).catch(() => {}); // the page may be gone already
        },
      );
    } catch (error) {
      const message = `The engine ${name} does not start: ${shortly(error)}`;
      throw new PareError("ENGINE_CRASHED", message, {
        where: name,
        hint: "The candidate is given up; the others go on.",
        cause: error,
      });
    }
  }

  async dispose(): Promise<void> {
    this.#isOver = true;
    await this.#page?.catch(() => {}); // it may be about to be opened again
    await this.#browser.close().catch(() => {}); // it may have crashed: gone is gone
    await this.#server.dispose();
  }

  #livePage(): Promise<Page> {
    if (this.#page !== null) return this.#page;
    const page = this.#openPage();
    this.#page = page;
    // By then another may have been opened.
    page.catch(() => {
      if (this.#page === page) this.#page = null;
    });
    return page;
  }

  async #openPage(): Promise<Page> {
    if (this.#isOver) throw new Error("The browser was ended.");
    if (!this.#browser.isConnected()) this.#browser = this.#watched(await this.#launch());
    const page = emptyPage(this.#browser) ?? (await this.#browser.newPage());
    page.on("crash", () => {
      this.#lose("its page crashed, most often for want of memory");
      page.close().catch(() => {}); // it may go with its browser
    });
    try {
      await page.goto(`${this.#server.base}page.html`);
    } catch (error) {
      await page.close().catch(() => {}); // it may have crashed
      throw error;
    }
    return page;
  }

  #watched(browser: Browser): Browser {
    return browser.on("disconnected", () => this.#lose("the browser ended"));
  }

  #lose(how: string): void {
    this.#page = null;
    this.#mailboxes.end(how);
  }
}

/** The beginning of what Playwright says, which has a log below it. */
function shortly(error: unknown): string {
  return messageOf(error).split("\n").slice(0, 3).join(" ");
}

/** The one that comes with a profile: another would have to be waited for. */
function emptyPage(browser: Browser): Page | undefined {
  return browser
    .contexts()
    .flatMap((context) => context.pages())
    .find((page) => page.url() === "about:blank");
}

/** A profile is asked for only to say where it lies. */
async function launchIn(
  folder: string,
  chromium: BrowserType,
  options: LaunchOptions,
): Promise<Browser> {
  const artifactsDir = join(folder, "artifacts");
  await mkdir(artifactsDir, { recursive: true });
  const context = await chromium.launchPersistentContext(join(folder, "profile"), {
    ...options,
    artifactsDir,
    env: { ...process.env, TMPDIR: folder },
  });
  const browser = context.browser();
  if (browser === null) throw new Error("It started without a way to open pages.");
  return browser;
}

function flags(): string[] {
  const quiet = [
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-dev-shm-usage",
  ];
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return ["--enable-unsafe-webgpu", ...quiet, ...root];
}

function brand(path: string): string {
  if (/edge/i.test(path)) return "Edge";
  return /chrome/i.test(path) && !/chromium/i.test(path) ? "Chrome" : "Chromium";
}
