import { PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import { type CallOptions, callWithin } from "./call-within.js";
import type { Channel, EngineReplies, EngineRequest } from "./protocol.js";

/** What calls say of the engine that they wait for. */
interface EngineName {
  readonly target: TargetName;
  readonly engine: string;
}

/** Starts an engine anew; an abort ends what is starting. */
export type OpenChannel = (signal?: AbortSignal) => Promise<Channel>;

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
  readonly #open: OpenChannel;
  readonly #patienceMs: number;
  readonly #onRestart: () => void;
  #channel: Channel | null;
  #turn: Promise<unknown> = Promise.resolve();
  #generation = 1;
  #isOver = false;

  /**
   * @param channel to the engine as it was started first; null where it has yet to be
   * @param patienceMs an engine that takes longer for one answer is ended, where a call sets no limit of its own
   * @param onRestart what the engine held is gone
   */
  constructor(
    name: EngineName,
    channel: Channel | null,
    open: OpenChannel,
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
    return this.inTurn((ask) => ask<K>(request, options), options.signal);
  }

  /**
   * Work on the running engine, when it is its turn; the engine is started first where it is gone.
   * @throws PareError ABORTED, DISPOSED where `dispose` ended it before
   */
  inTurn<T>(work: (ask: Ask) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#exclusive(async () => work(this.#asking(await this.#live(signal))));
  }

  /** Work on an engine that is started for it alone, while the other one rests. */
  inFresh<T>(work: (ask: Ask) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#exclusive(async () => {
      const channel = await this.#opened(signal);
      try {
        return await work(this.#asking(channel));
      } finally {
        await channel.dispose();
      }
    });
  }

  /** Ends the engine, when it is its turn. */
  recycle(): Promise<void> {
    return this.#exclusive(() => this.#end());
  }

  /** Ends the engine at once, and starts none for what is still to be asked. */
  dispose(): Promise<void> {
    this.#isOver = true;
    return this.#end();
  }

  async #end(): Promise<void> {
    await this.#channel?.dispose();
    this.#channel = null;
  }

  async #live(signal: AbortSignal | undefined): Promise<Channel> {
    if (this.#channel?.alive) return this.#channel;
    this.#onRestart();
    await this.#channel?.dispose();
    this.#generation += 1;
    this.#channel = await this.#opened(signal);
    return this.#channel;
  }

  /** Nobody would end one that has started when the others were ended. */
  async #opened(signal: AbortSignal | undefined): Promise<Channel> {
    throwIfAborted(signal);
    this.#demandWanted();
    const channel = await this.#open(signal);
    if (this.#isOver) await channel.dispose();
    this.#demandWanted();
    return channel;
  }

  #demandWanted(): void {
    if (!this.#isOver) return;
    const { engine, target } = this.#name;
    throw new PareError("DISPOSED", `The engine ${engine} was ended.`, { where: target });
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
