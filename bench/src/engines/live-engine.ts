import type { TargetName } from "@pare/runtime/format";
import { type CallOptions, callWithin } from "./call-within.js";
import type { Channel, EngineReplies, EngineRequest } from "./protocol.js";

/** What calls say of the engine that they wait for. */
interface EngineName {
  readonly target: TargetName;
  readonly engine: string;
}

/** Asks one engine that nobody else asks meanwhile. */
type Ask = <K extends EngineRequest["kind"]>(
  request: Extract<EngineRequest, { kind: K }>,
  options: CallOptions,
) => Promise<EngineReplies[K]>;

/**
 * An engine that starts again, empty, when it is asked and gone, and does one thing at a time: engines serialise anyway,
 * and timings must not overlap.
 */
export class LiveEngine {
  readonly #name: EngineName;
  readonly #open: () => Promise<Channel>;
  readonly #patienceMs: number;
  readonly #onRestart: () => void;
  #channel: Channel | null;
  #turn: Promise<unknown> = Promise.resolve();
  #generation = 1;

  /**
   * @param channel to the engine as it was started first; null where it has yet to be
   * @param open starts one anew
   * @param patienceMs an engine that takes longer for one answer is ended, where a call sets no limit of its own
   * @param onRestart what the engine held is gone
   */
  constructor(
    name: EngineName,
    channel: Channel | null,
    open: () => Promise<Channel>,
    patienceMs: number,
    onRestart: () => void,
  ) {
    this.#name = name;
    this.#channel = channel;
    this.#open = open;
    this.#patienceMs = patienceMs;
    this.#onRestart = onRestart;
  }

  get alive(): boolean {
    return this.#channel?.alive ?? false;
  }

  /** Grows when the engine starts anew: what was loaded in it before is gone. */
  get generation(): number {
    return this.alive ? this.#generation : this.#generation + 1;
  }

  call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    options: CallOptions = {},
  ): Promise<EngineReplies[K]> {
    return this.inTurn((ask) => ask<K>(request, options));
  }

  /** Work on the running engine, when it is its turn; the engine is started first where it is gone. */
  inTurn<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#exclusive(async () => work(this.#asking(await this.#live())));
  }

  /** Work on an engine that is started for it alone, while the other one rests. */
  inFresh<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#exclusive(async () => {
      const channel = await this.#open();
      try {
        return await work(this.#asking(channel));
      } finally {
        await channel.dispose();
      }
    });
  }

  /** Ends the engine, when it is its turn. */
  recycle(): Promise<void> {
    return this.#exclusive(() => this.end());
  }

  /** Ends the engine at once. */
  async end(): Promise<void> {
    await this.#channel?.dispose();
    this.#channel = null;
  }

  async #live(): Promise<Channel> {
    if (this.#channel?.alive) return this.#channel;
    this.#onRestart();
    await this.#channel?.dispose();
    this.#generation += 1;
    this.#channel = await this.#open();
    return this.#channel;
  }

  #asking(channel: Channel): Ask {
    return (request, { signal, limitMs = this.#patienceMs }) =>
      callWithin(channel, request, { signal, limitMs }, this.#name);
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
