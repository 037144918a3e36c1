import type { IncomingMessage, ServerResponse } from "node:http";
import { PareError, type TargetName } from "@pare/runtime/format";
import { Mailboxes } from "../engines/mailbox.js";
import { ModuleServer } from "../engines/module-server.js";
import type { Channel } from "../engines/protocol.js";
import { pageHtml } from "./page-html.js";
import type { ContestState, PageCommand } from "./state.js";

/** A page that is open in somebody's browser. */
export interface Visit {
  /** `Firefox 150` */
  readonly browser: string;
  readonly isOver: boolean;
  /**
   * A fresh worker with the engines of these targets.
   * @throws PareError ENGINE_CRASHED where the page is gone
   */
  openChannel(targets: readonly TargetName[]): Promise<Channel>;
  show(state: ContestState): void;
  /** The engine's files that were served since this was asked last. */
  servedFiles(): readonly string[];
}

/**
 * Serves a page to whatever browser comes, and measures in it: engines are workers of the page. One page at a time; a
 * later one, or the same one loaded again, takes the place of the earlier.
 */
export class VisitedBrowser {
  readonly address: string;
  readonly #server: ModuleServer;
  readonly #visits: Visits;

  private constructor(server: ModuleServer, visits: Visits) {
    this.#server = server;
    this.#visits = visits;
    this.address = `${server.base}page.html`;
  }

  static async start(): Promise<VisitedBrowser> {
    const visits = new Visits();
    const server = await ModuleServer.start(
      (path, request, response) => visits.handle(path, request, response),
      { page: pageHtml, onEngineFile: (file) => visits.serve(file) },
    );
    return new VisitedBrowser(server, visits);
  }

  /** The next page that is opened, or the one that nobody asked for yet; null where the signal comes first. */
  nextVisit(signal: AbortSignal): Promise<Visit | null> {
    return this.#visits.next(signal);
  }

  async dispose(): Promise<void> {
    this.#visits.end();
    await this.#server.dispose();
  }
}

class Visits {
  readonly #mailboxes = new Mailboxes();
  #current: OpenPage | null = null;
  #unseen: OpenPage | null = null;
  #waiting: ((visit: Visit) => void) | null = null;

  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (path !== "visit") return this.#mailboxes.handle(path, request, response);
    this.end();
    const page = new OpenPage(response, this.#mailboxes, browserName(request));
    response.on("close", () => {
      page.close();
      if (this.#current === page) this.#mailboxes.end("its page was closed");
    });
    this.#current = page;
    this.#unseen = page;
    this.#waiting?.(page);
  }

  serve(file: string): void {
    this.#current?.served.add(file);
  }

  next(signal: AbortSignal): Promise<Visit | null> {
    return new Promise((resolve) => {
      const settle = (visit: Visit | null): void => {
        signal.removeEventListener("abort", stop);
        this.#waiting = null;
        this.#unseen = null;
        resolve(visit);
      };
      const stop = (): void => settle(null);
      if (signal.aborted) return settle(null);
      if (this.#unseen?.isOver === false) return settle(this.#unseen);
      signal.addEventListener("abort", stop);
      this.#waiting = settle;
    });
  }

  end(): void {
    const page = this.#current;
    this.#current = null;
    if (page === null) return;
    page.close();
    this.#mailboxes.end("another page took its place");
  }
}

/** A page's stream of commands, as server-sent events. */
class OpenPage implements Visit {
  readonly browser: string;
  readonly served = new Set<string>();
  readonly #response: ServerResponse;
  readonly #mailboxes: Mailboxes;
  #isOver = false;

  constructor(response: ServerResponse, mailboxes: Mailboxes, browser: string) {
    this.#response = response;
    this.#mailboxes = mailboxes;
    this.browser = browser;
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.flushHeaders();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async openChannel(targets: readonly TargetName[]): Promise<Channel> {
    // Nobody would start the worker, and whoever asked it something would wait in vain.
    if (this.#isOver) throw pageGone(this.browser);
    const target = targets.join(",");
    return this.#mailboxes.open(
      `${target} in ${this.browser}`,
      async (id) => {
        const query = { channel: String(id), target, place: this.browser };
        this.#send({ kind: "start", id, query: new URLSearchParams(query).toString() });
      },
      async (id) => this.#send({ kind: "end", id }),
    );
  }

  show(state: ContestState): void {
    this.#send({ kind: "show", state });
  }

  servedFiles(): readonly string[] {
    const files = [...this.served];
    this.served.clear();
    return files;
  }

  close(): void {
    this.#isOver = true;
    this.#response.end();
  }

  #send(command: PageCommand): void {
    // JSON has no line breaks of its own, which would end an event.
    if (!this.#isOver) this.#response.write(`data: ${JSON.stringify(command)}\n\n`);
  }
}

export function pageGone(browser: string): PareError {
  return new PareError("ENGINE_CRASHED", `The page in ${browser} is gone.`, {
    where: browser,
    hint: "Open it again.",
  });
}

/** By what a browser says of itself, which may be anything: only what is known is taken. */
function browserName(request: IncomingMessage): string {
  const said = request.headers["user-agent"] ?? "";
  const known = [
    ["Edge", /\bEdg\/(\d{1,4})/],
    ["Firefox", /\bFirefox\/(\d{1,4})/],
    ["Chrome", /\b(?:Headless)?Chrome\/(\d{1,4})/],
    ["Safari", /\bVersion\/(\d{1,4}).*\bSafari\//],
  ] as const;
  for (const [name, pattern] of known) {
    const [, version] = pattern.exec(said) ?? [];
    if (version !== undefined) return `${name} ${version}`;
  }
  return "a browser";
}
