import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PareError, type TargetName } from "@pare/runtime/format";
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
 * a run, to give WebAssembly's memory back, and to start afresh.
 */
export class EngineBrowser {
  /** `Chromium 156` */
  readonly name: string;
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #server: ModuleServer;
  readonly #mailboxes: Mailboxes;

  private constructor(
    name: string,
    browser: Browser,
    page: Page,
    server: ModuleServer,
    mailboxes: Mailboxes,
  ) {
    this.name = name;
    this.#browser = browser;
    this.#page = page;
    this.#server = server;
    this.#mailboxes = mailboxes;
    page.on("crash", () => mailboxes.end("its page crashed, most often for want of memory"));
    browser.on("disconnected", () => mailboxes.end("the browser ended"));
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
    try {
      const options = {
        executablePath,
        args: flags(),
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      };
      const browser = await (folder === undefined
        ? chromium.launch(options)
        : launchIn(folder, chromium, options));
      const page = await browser.newPage();
      await page.goto(`${server.base}page.html`);
      return new EngineBrowser(
        `${brand(executablePath)} ${browser.version().split(".")[0]}`,
        browser,
        page,
        server,
        mailboxes,
      );
    } catch (error) {
      await server.dispose();
      const message = String(error instanceof Error ? error.message : error)
        .split("\n")
        .slice(0, 3)
        .join(" ");
      throw new PareError("ENGINE", `The browser at ${executablePath} does not start: ${message}`, {
        where: executablePath,
        hint: "Name another one in PARE_CHROMIUM.",
        cause: error,
      });
    }
  }

  /** A new engine, in a worker of its own. */
  async openChannel(target: TargetName): Promise<Channel> {
    return this.#mailboxes.open(
      `${target} in ${this.name}`,
      async (id) => {
        const query = new URLSearchParams({ channel: String(id), target, place: this.name });
        const failed = `(event) => fetch("call/${id}", { method: "DELETE", body: event.message ?? "its code did not load" })`;
        await this.#page.evaluate(`{
          const worker = new Worker("bench/engines/browser-worker.js?${query}", { type: "module" });
          worker.onerror = ${failed};
          (globalThis.engines ??= {})[${id}] = worker;
        }`);
      },
      async (id) => {
        await this.#page.evaluate(`globalThis.engines?.[${id}]?.terminate()`).catch(() => {}); // the page may be gone already
      },
    );
  }

  async dispose(): Promise<void> {
    await this.#browser.close().catch(() => {}); // it may have crashed: gone is gone
    await this.#server.dispose();
  }
}

/** A profile is asked for only to say where it lies: pages have contexts of their own, as without one. */
async function launchIn(
  folder: string,
  chromium: BrowserType,
  options: LaunchOptions,
): Promise<Browser> {
  const artifactsDir = join(folder, "artifacts");
  await mkdir(artifactsDir);
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
