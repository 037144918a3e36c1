import type { IncomingMessage, ServerResponse } from "node:http";
import { encodeParts } from "./codec.js";
import { engineCrashed } from "./engine-crashed.js";
import type { Channel, EngineReplies, EngineRequest } from "./protocol.js";
import { WaitingCall } from "./waiting-call.js";

/** How long a worker's question for work stays open: well under what a connection may idle. */
const pollMs = 20_000;

/** The mailboxes of all workers in a browser, by the numbers under which they ask. */
export class Mailboxes {
  readonly #open = new Map<number, Mailbox>();
  #next = 1;

  /**
   * A worker that is to be started in a browser.
   * @param name of its engine, for messages
   * @param start lets the browser start a worker that asks under this number
   * @param stop ends it; not called where the browser is gone
   * @throws what `start` does: then nobody asks under this number
   */
  async open(
    name: string,
    start: (id: number) => Promise<void>,
    stop: (id: number) => Promise<void>,
  ): Promise<Channel> {
    const id = this.#next++;
    const mailbox = new Mailbox(name, async () => {
      this.#open.delete(id);
      await stop(id);
    });
    this.#open.set(id, mailbox);
    try {
      await start(id);
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
    return mailbox;
  }

  /** What a worker asks or answers. */
  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const mailbox = this.#open.get(Number(path));
    if (mailbox) await mailbox.handle(request, response);
    else response.writeHead(410).end();
  }

  /** The browser is gone, and all workers with it. */
  end(how: string): void {
    for (const mailbox of this.#open.values()) mailbox.end(how);
    this.#open.clear();
  }
}

/** A worker's end of the server: one request waits to be fetched, or one fetch waits for a request. */
class Mailbox implements Channel {
  readonly #calls: WaitingCall;
  readonly #terminate: () => Promise<void>;
  #outgoing: readonly Uint8Array[] | null = null;
  #poll: ServerResponse | null = null;

  constructor(name: string, terminate: () => Promise<void>) {
    this.#terminate = terminate;
    this.#calls = new WaitingCall(name, {
      send: (request) => {
        this.#outgoing = encodeParts(request);
        this.#deliver();
      },
      end: () => void this.dispose(),
      crash: (how) => engineCrashed(`The engine ${name} is gone: ${how}.`, name),
    });
  }

  get alive(): boolean {
    return this.#calls.alive;
  }

  call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]> {
    return this.#calls.call<K>(request, signal);
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
    if (request.method === "DELETE") this.end(new TextDecoder().decode(body));
    else this.#calls.answer(body);
  }

  end(how: string): void {
    this.#calls.end(how);
    if (this.#poll) this.#answerPoll(this.#poll, 410);
  }

  async dispose(): Promise<void> {
    this.end("it was ended");
    await this.#terminate();
  }

  #deliver(): void {
    if (!this.#poll || !this.#outgoing) return;
    const [response, parts] = [this.#poll, this.#outgoing];
    this.#poll = null;
    this.#outgoing = null;
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
      "Cache-Control": "no-store",
    });
    for (const part of parts) response.write(part);
    response.end();
  }

  #answerPoll(response: ServerResponse, status: number): void {
    if (this.#poll !== response) return;
    this.#poll = null;
    response.writeHead(status).end();
  }
}

async function read(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return new Uint8Array(Buffer.concat(chunks));
}
