import type { Readable, Writable } from "node:stream";

/** A call that waits for its answer. */
interface Waiting {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The DevTools protocol as Chromium speaks it over a pipe (`--remote-debugging-pipe`): messages of JSON, each ended by a
 * zero byte. https://chromedevtools.github.io/devtools-protocol/
 */
export class DevToolsPipe {
  readonly #to: Writable;
  readonly #onEvent: (method: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #received: Buffer[] = [];
  #calls = 0;
  #over: Error | null = null;

  /** @param onEvent told of what nobody asked for, by its name */
  constructor(to: Writable, from: Readable, onEvent: (method: string) => void) {
    this.#to = to;
    this.#onEvent = onEvent;
    // A browser that is gone says so itself.
    to.on("error", () => {});
    from.on("error", () => {});
    from.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /**
   * @param session of the page that is asked; the browser itself without one
   * @returns what the protocol says is the method's result
   * @throws Error with what Chromium says against it, or where the browser ends first
   */
  call(method: string, params: object = {}, session?: string): Promise<unknown> {
    const id = (this.#calls += 1);
    return new Promise((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over);
      this.#waiting.set(id, { method, resolve, reject });
      this.#to.write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`);
    });
  }

  /** No more answers will come. */
  end(why: Error): void {
    this.#over ??= why;
    for (const { reject } of this.#waiting.values()) reject(this.#over);
    this.#waiting.clear();
  }

  #receive(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      const message = Buffer.concat([...this.#received, chunk.subarray(from, end)]);
      this.#received = [];
      from = end + 1;
      this.#answer(JSON.parse(message.toString("utf8")));
    }
    if (from < chunk.byteLength) this.#received.push(chunk.subarray(from));
  }

  #answer(message: {
    readonly id?: number;
    readonly method?: string;
    readonly result?: unknown;
    readonly error?: { readonly message: string };
  }): void {
    if (message.id === undefined) return this.#onEvent(message.method ?? "");
    const call = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(new Error(`${call.method}: ${message.error.message}`));
  }
}
