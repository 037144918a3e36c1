import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import type { Browser, BrowserType, LaunchOptions, Page } from "playwright-core";
import { decode, encode } from "./codec.js";
import { browserMissing, findBrowser } from "./find-browser.js";
import { ModuleServer } from "./module-server.js";
import type { Channel, EngineReplies, EngineRequest, WireReply } from "./protocol.js";
import { unwrap } from "./reply.js";

/** Required, and when it is needed: to import this bundle of CommonJS, Node would first search its megabytes for names. */
function playwright(): typeof import("playwright-core") {
  return createRequire(import.meta.url)("playwright-core");
}

/** How long a worker's question for work stays open: well under what a connection may idle. */
const pollMs = 20_000;

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
  readonly #mailboxes: Map<number, Mailbox>;
  #next = 1;

  private constructor(
    name: string,
    browser: Browser,
    page: Page,
    server: ModuleServer,
    mailboxes: Map<number, Mailbox>,
  ) {
    this.name = name;
    this.#browser = browser;
    this.#page = page;
    this.#server = server;
    this.#mailboxes = mailboxes;
    const end = (how: string) => {
      for (const mailbox of mailboxes.values()) mailbox.end(how);
    };
    page.on("crash", () => end("its page crashed, most often for want of memory"));
    browser.on("disconnected", () => end("the browser ended"));
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
    const mailboxes = new Map<number, Mailbox>();
    const server = await ModuleServer.start(async (path, request, response) => {
      const mailbox = mailboxes.get(Number(path));
      if (mailbox) await mailbox.handle(request, response);
      else response.writeHead(410).end();
    });
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
    const id = this.#next++;
    const mailbox = new Mailbox(`${target} in ${this.name}`, async () => {
      this.#mailboxes.delete(id);
      await this.#page.evaluate(`globalThis.engines?.[${id}]?.terminate()`).catch(() => {}); // the page may be gone already
    });
    this.#mailboxes.set(id, mailbox);
    const query = new URLSearchParams({ channel: String(id), target, place: this.name });
    const failed = `(event) => fetch("call/${id}", { method: "DELETE", body: event.message ?? "its code did not load" })`;
    await this.#page.evaluate(`{
      const worker = new Worker("bench/engines/browser-worker.js?${query}", { type: "module" });
      worker.onerror = ${failed};
      (globalThis.engines ??= {})[${id}] = worker;
    }`);
    return mailbox;
  }

  async dispose(): Promise<void> {
    await this.#browser.close().catch(() => {}); // it may have crashed: gone is gone
    await this.#server.dispose();
  }
}

interface Waiting {
  readonly resolve: (reply: WireReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker's end of the server: one request waits to be fetched, or one fetch waits for a request. */
class Mailbox implements Channel {
  readonly #name: string;
  readonly #terminate: () => Promise<void>;
  #outgoing: Uint8Array | null = null;
  #poll: ServerResponse | null = null;
  #waiting: Waiting | null = null;
  #ended: string | null = null;

  constructor(name: string, terminate: () => Promise<void>) {
    this.#name = name;
    this.#terminate = terminate;
  }

  get alive(): boolean {
    return this.#ended === null;
  }

  async call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]> {
    throwIfAborted(signal);
    if (this.#ended !== null) throw this.#crash();
    const abort = () => {
      this.#waiting?.reject(
        new PareError("ABORTED", "The work was cancelled.", { cause: signal?.reason }),
      );
      this.#waiting = null;
      void this.dispose();
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const reply = await new Promise<WireReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#outgoing = encode(request);
        this.#deliver();
      });
      return unwrap(reply, this.#name) as EngineReplies[K];
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") {
      this.#poll = response;
      setTimeout(() => this.#answerPoll(response, 204), pollMs).unref();
      this.#deliver();
      return;
    }
    const body = await read(request);
    response.writeHead(204).end();
    if (request.method === "DELETE") return this.end(new TextDecoder().decode(body));
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(decode(body) as WireReply);
  }

  end(how: string): void {
    this.#ended ??= how;
    this.#waiting?.reject(this.#crash());
    this.#waiting = null;
    if (this.#poll) this.#answerPoll(this.#poll, 410);
  }

  async dispose(): Promise<void> {
    this.end("it was ended");
    await this.#terminate();
  }

  #deliver(): void {
    if (!this.#poll || !this.#outgoing) return;
    const [response, bytes] = [this.#poll, this.#outgoing];
    this.#poll = null;
    this.#outgoing = null;
    response
      .writeHead(200, { "Content-Type": "application/octet-stream", "Cache-Control": "no-store" })
      .end(bytes);
  }

  #answerPoll(response: ServerResponse, status: number): void {
    if (this.#poll !== response) return;
    this.#poll = null;
    response.writeHead(status).end();
  }

  #crash(): PareError {
    return new PareError("ENGINE_CRASHED", `The engine ${this.#name} is gone: ${this.#ended}.`, {
      where: this.#name,
      hint: "The candidate is given up; the others go on.",
    });
  }
}

async function read(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Uint8Array.from(Buffer.concat(chunks));
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
