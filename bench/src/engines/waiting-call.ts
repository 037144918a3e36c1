import { isErrorCode, messageOf, PareError, throwIfAborted } from "@pare/runtime/format";
import { decode } from "./codec.js";
import type { EngineReplies, EngineRequest, WireReply } from "./protocol.js";

/** How a channel reaches its engine. */
interface Wire {
  send(request: EngineRequest): void;
  /** Ends the engine, whose answer nobody wants any more. */
  end(): void;
  /** What to tell of an engine that is gone. */
  crash(how: string): PareError;
}

/** The one call that waits for an engine's answer, until that comes, the caller gives it up or the engine is gone. */
export class WaitingCall {
  readonly #engine: string;
  readonly #wire: Wire;
  #waiting: {
    readonly resolve: (reply: WireReply) => void;
    readonly reject: (error: unknown) => void;
  } | null = null;
  #ended: string | null = null;

  /** @param engine its name, for messages */
  constructor(engine: string, wire: Wire) {
    this.#engine = engine;
    this.#wire = wire;
  }

  get alive(): boolean {
    return this.#ended === null;
  }

  /** @throws as `Channel.call` */
  async call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]> {
    throwIfAborted(signal);
    if (this.#ended !== null) throw this.#wire.crash(this.#ended);
    const abort = (): void => {
      this.#waiting?.reject(
        new PareError("ABORTED", "The work was cancelled.", { cause: signal?.reason }),
      );
      this.#waiting = null;
      this.end("it was cancelled");
      this.#wire.end();
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const reply = await new Promise<WireReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#wire.send(request);
      });
      return unwrap(reply, this.#engine) as EngineReplies[K];
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** What came back. Where it cannot be read the call has failed, and the engine goes on. */
  answer(message: Uint8Array<ArrayBuffer>): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    try {
      waiting?.resolve(decode(message) as WireReply);
    } catch (cause) {
      const said = `The answer of the ${this.#engine} engine cannot be read: ${messageOf(cause)}.`;
      waiting?.reject(new PareError("ENGINE", said, { where: this.#engine, cause }));
    }
  }

  /** The engine is gone; the first reason that is given stays. */
  end(how: string): void {
    this.#ended ??= how;
    this.#waiting?.reject(this.#wire.crash(this.#ended));
    this.#waiting = null;
  }
}

/** The value of a reply, or the error that it carries. */
function unwrap(reply: WireReply, engine: string): unknown {
  if (reply.ok) return reply.value;
  const code = isErrorCode(reply.code) ? reply.code : "ENGINE";
  throw new PareError(code, reply.message, {
    where: engine,
    ...(reply.hint === null ? {} : { hint: reply.hint }),
  });
}
