import type { Readable, Writable } from "node:stream";
import { isRecord } from "@pare/runtime/format";

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
      this.#answer(message.toString("utf8"));
    }
    if (from < chunk.byteLength) this.#received.push(chunk.subarray(from));
  }

  #answer(text: string): void {
    const message = parsed(text);
    if (message === undefined) return this.end(new Error("It does not speak DevTools' protocol."));
    const { id, method, result, error } = message;
    if (typeof id !== "number") return void (typeof method === "string" && this.#onEvent(method));
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`${call.method}: ${reasonOf(error)}`));
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const message = isRecord(error) ? error["message"] : undefined;
  return typeof message === "string" ? message : "it is refused";
}
