import {
  type Artifact,
  type DeviceFeature,
  type LoadOptions,
  PareError,
  type Reduced,
  type ReduceOptions,
  type Reduction,
  type SampleInfo,
  type SampleSet,
  type TargetName,
  type Tensors,
  throwIfAborted,
  type ValueInfo,
} from "@pare/runtime/format";
import type { BlockTimes, TimingPlan } from "../timing/blocks.js";
import { type CallOptions, callWithin } from "./call-within.js";
import type { Channel, EngineReplies, EngineRequest, WireSample } from "./protocol.js";
import { ResidentSamples, sendable, tensorBytes } from "./resident-samples.js";

/** A model inside an engine. It is gone when the engine is: load it again after ENGINE_CRASHED or ABORTED. */
export interface LoadedModel {
  readonly id: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** From bytes to a session. */
  readonly loadMs: number;
}

export interface HostDescription {
  readonly target: TargetName;
  /** Engine, version and where it runs: `onnxruntime-web 1.30.0 (Chromium 156)`. */
  readonly engine: string;
  /** A GPU that is emulated on the CPU: right, and never timed. */
  readonly software: boolean;
  /** What the device has besides: `shader-f16`. */
  readonly features: readonly DeviceFeature[];
}

/** Samples that were run together. */
interface Batch {
  readonly infos: readonly SampleInfo[];
  readonly outputs: readonly Tensors[];
  readonly ms: number;
}

const chunkMs = 250;
const chunkSamples = 64;
/** For what was asked for by how long the last answers took, an engine that takes so long hangs. */
const hungMs = 20 * chunkMs;
/** What is timed may take so many times as long as expected, beside other programs. */
const mostSlowdown = 4;
/** For an answer, where nobody says. */
const defaultPatienceMs = 120_000;
const chunkBytes = 32 * 2 ** 20;
/** Samples that are looked at once: a message carries no more when it has this. */
const reducedBytes = 2 ** 20;

/**
 * One target's engine in another process. It starts when first asked, starts again after a crash, and does one thing
 * at a time: engines serialise anyway, and timings must not overlap.
 */
export class EngineHost implements HostDescription {
  readonly target: TargetName;
  readonly engine: string;
  readonly software: boolean;
  readonly features: readonly DeviceFeature[];
  readonly #open: () => Promise<Channel>;
  readonly #close: () => Promise<void>;
  readonly #patienceMs: number;
  #channel: Channel | null;
  #turn: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  readonly #resident = new ResidentSamples();
  #generation = 1;

  private constructor(
    description: HostDescription,
    channel: Channel,
    open: () => Promise<Channel>,
    close: () => Promise<void>,
    patienceMs: number,
  ) {
    this.target = description.target;
    this.engine = description.engine;
    this.software = description.software;
    this.features = description.features;
    this.#channel = channel;
    this.#open = open;
    this.#close = close;
    this.#patienceMs = patienceMs;
  }

  /**
   * @param open starts the engine anew; called again for cold starts and after a crash
   * @param patienceMs an engine that takes longer for one answer is ended, where a call sets no limit of its own
   * @throws PareError UNSUPPORTED_DEVICE or ENGINE_MISSING when the engine cannot run here, saying why
   */
  static async start(
    target: TargetName,
    open: () => Promise<Channel>,
    close: () => Promise<void> = async () => {},
    patienceMs = defaultPatienceMs,
  ): Promise<EngineHost> {
    const channel = await open();
    try {
      const limits = { limitMs: patienceMs };
      const asked = { engine: target, target };
      const probe = await callWithin<"probe">(channel, { kind: "probe" }, limits, asked);
      if (probe.unavailable !== null)
        throw new PareError(
          "UNSUPPORTED_DEVICE",
          `${target} cannot run here: ${probe.unavailable}`,
        );
      return new EngineHost(
        { target, engine: probe.engine, software: probe.software, features: probe.features },
        channel,
        open,
        close,
        patienceMs,
      );
    } catch (error) {
      await channel.dispose();
      throw error;
    }
  }

  /** Grows when the engine starts anew: what was loaded in it before is gone. */
  get generation(): number {
    return this.#channel?.alive ? this.#generation : this.#generation + 1;
  }

  async load(artifact: Artifact, options: LoadOptions & CallOptions = {}): Promise<LoadedModel> {
    const id = this.#nextId++;
    const threads = options.threads ?? 1;
    const request = { kind: "load", id, artifact, threads } as const;
    const reply = await this.#call<"load">(request, options);
    return { id, ...reply };
  }

  async unload(model: LoadedModel): Promise<void> {
    if (this.#channel?.alive) await this.#call({ kind: "unload", id: model.id });
  }

  /** One run on feeds of the caller's. */
  async run(model: LoadedModel, feeds: Tensors, options: CallOptions = {}): Promise<Tensors> {
    const { outputs } = await this.#call(
      { kind: "run", id: model.id, samples: once([feeds]) },
      options,
    );
    return outputs[0] ?? {};
  }

  /** Runs a model a few times on one sample; the quickest time of a run. */
  async quickest(
    model: LoadedModel,
    feeds: Tensors,
    runs: number,
    options: CallOptions = {},
  ): Promise<number> {
    const samples = once([feeds]);
    let best = Infinity;
    for (let run = 0; run < runs; run++) {
      const { ms } = await this.#call({ kind: "run", id: model.id, samples }, options);
      best = Math.min(best, ms);
    }
    return best;
  }

  /**
   * Runs samples in order and hands over each one's outputs; none are held. Samples stay in the engine, up to 512 MB,
   * so that the next candidate need not be sent them again.
   * @param each may be slow: the engine goes on with the next few samples meanwhile
   * @param until stops early when it says so; asked between batches, and the engine waits for its answer
   * @returns how many ran
   */
  async runSamples(
    model: LoadedModel,
    samples: SampleSet,
    indexes: readonly number[],
    each: (outputs: Tensors, sample: SampleInfo, position: number) => Promise<void> | void,
    options: CallOptions & { readonly until?: (done: number) => boolean } = {},
  ): Promise<number> {
    let done = 0;
    let msPerSample = chunkMs;
    let ahead: Promise<Batch> | null = null;
    while (done < indexes.length && !options.until?.(done)) {
      const run =
        ahead ??
        this.#runBatch(model, samples, indexes.slice(done), msPerSample, known(options, done));
      const { infos, outputs, ms } = await run;
      const after = done + infos.length;
      msPerSample = ms / infos.length;
      ahead = null;
      if (options.until === undefined && after < indexes.length) {
        const rest = indexes.slice(after);
        ahead = this.#runBatch(model, samples, rest, msPerSample, known(options, after));
        // Whoever waits for it hears of its failure.
        ahead.catch(() => {});
      }
      for (const [offset, sample] of infos.entries())
        await each(outputs[offset] ?? {}, sample, done + offset);
      done = after;
    }
    return done;
  }

  /** The first few samples, as many as take a little while. */
  async #runBatch(
    model: LoadedModel,
    samples: SampleSet,
    indexes: readonly number[],
    msPerSample: number,
    options: CallOptions,
  ): Promise<Batch> {
    throwIfAborted(options.signal);
    const size = Math.min(chunkSamples, Math.max(1, Math.round(chunkMs / msPerSample)));
    const infos: SampleInfo[] = [];
    // Read while the engine may still be busy; what it has already need not be read.
    const read = new Map<number, Tensors>();
    let bytes = 0;
    for (const index of indexes.slice(0, size)) {
      const held = this.#resident.held(samples, index);
      const feeds = held === undefined ? (await samples.sample(index)).feeds : null;
      bytes += held?.bytes ?? tensorBytes(feeds ?? {});
      if (infos.length > 0 && bytes > chunkBytes) break;
      if (feeds !== null) read.set(index, feeds);
      infos.push(await samples.info(index));
    }
    return this.#exclusive(async () => {
      const channel = await this.#live();
      const request: WireSample[] = [];
      for (const index of indexes.slice(0, infos.length))
        request.push(await this.#resident.ticket(samples, index, read.get(index)));
      const run = { kind: "run", id: model.id, samples: request } as const;
      return { infos, ...(await this.#watched<"run">(channel, run, options)) };
    });
  }

  /**
   * Runs samples in order and reduces their outputs in the engine's process. Nothing is kept of samples; the next ones are
   * read while the engine works on the last. A message carries many samples where they are small, and the engine answers
   * every now and then where they are slow; what came of them comes with the last answer.
   */
  async reduce(
    model: LoadedModel,
    samples: AsyncIterable<Tensors>,
    reductions: readonly Reduction[],
    { onSamples, ...options }: ReduceOptions & CallOptions = {},
  ): Promise<readonly Reduced[]> {
    const request = {
      kind: "reduce",
      id: model.id,
      reduction: this.#nextId++,
      reductions,
      maxMs: chunkMs,
    } as const;
    const source = samples[Symbol.asyncIterator]();
    let done = 0;
    try {
      for (let batch = await nextFeeds(source); ;) {
        const { last } = batch;
        let sent = once(batch.feeds);
        const ahead = last ? null : nextFeeds(source);
        // Whoever waits for it hears of its failure.
        ahead?.catch(() => {});
        for (let waiting = true; waiting;) {
          throwIfAborted(options.signal);
          const asked = { ...request, samples: sent, last };
          const reply = await this.#call<"reduce">(asked, known(options, done));
          if (reply.done > 0) onSamples?.((done += reply.done));
          if (reply.reduced !== null) return reply.reduced;
          waiting = reply.waiting > 0;
          sent = [];
        }
        batch = (await ahead) ?? { feeds: [], last: true };
      }
    } finally {
      await source.return?.();
    }
  }

  /** Runs models until their times settle, and plans how to time them. */
  async warmUp(
    models: readonly LoadedModel[],
    feeds: readonly Tensors[],
    maxMs: number,
    options: CallOptions = {},
  ): Promise<TimingPlan> {
    const { plan } = await this.#call(
      { kind: "warm-up", ids: models.map(({ id }) => id), samples: once(feeds), maxMs },
      longer(options, models.length * maxMs),
    );
    return plan;
  }

  /** Times models in interleaved blocks, inside the engine's process. */
  async time(
    models: readonly LoadedModel[],
    feeds: readonly Tensors[],
    plan: TimingPlan,
    blocks: number,
    options: CallOptions = {},
  ): Promise<readonly BlockTimes[]> {
    const reply = await this.#call(
      { kind: "time", ids: models.map(({ id }) => id), samples: once(feeds), plan, blocks },
      longer(known(options, 1), mostSlowdown * blocks * plan.expectedMs),
    );
    return reply.blocks;
  }

  /** Loads and runs a model once in an engine started for it alone: what a user waits for, and what memory it takes. */
  async coldStart(
    artifact: Artifact,
    feeds: Tensors,
    options: LoadOptions & CallOptions = {},
  ): Promise<{ startupMs: number; memoryBytes: number | null }> {
    return this.#exclusive(async () => {
      const channel = await this.#open();
      try {
        await this.#watched(channel, { kind: "probe" }, options);
        const threads = options.threads ?? 1;
        const load = { kind: "load", id: 1, artifact, threads } as const;
        const { loadMs } = await this.#watched<"load">(channel, load, options);
        const run = { kind: "run", id: 1, samples: once([feeds]) } as const;
        const { ms } = await this.#watched<"run">(channel, run, options);
        const { peakBytes } = await this.#watched<"memory">(channel, { kind: "memory" }, options);
        return { startupMs: loadMs + ms, memoryBytes: peakBytes };
      } finally {
        await channel.dispose();
      }
    });
  }

  /** Peak memory of the engine so far; null where it cannot be read or the engine is not running. */
  async peakBytes(): Promise<number | null> {
    return this.#channel?.alive ? (await this.#call({ kind: "memory" })).peakBytes : null;
  }

  /** Ends the engine; it starts again, empty, when next asked. WebAssembly gives its memory back only so. */
  async recycle(): Promise<void> {
    await this.#exclusive(async () => {
      await this.#channel?.dispose();
      this.#channel = null;
    });
  }

  async dispose(): Promise<void> {
    await this.#channel?.dispose();
    this.#channel = null;
    await this.#close();
  }

  async #live(): Promise<Channel> {
    if (this.#channel?.alive) return this.#channel;
    this.#resident.forget();
    await this.#channel?.dispose();
    this.#generation += 1;
    this.#channel = await this.#open();
    return this.#channel;
  }

  #call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    options: CallOptions = {},
  ): Promise<EngineReplies[K]> {
    return this.#exclusive(async () => this.#watched<K>(await this.#live(), request, options));
  }

  /** A call that is given up, with its engine, when it takes too long: no budget holds without a watch. */
  #watched<K extends EngineRequest["kind"]>(
    channel: Channel,
    request: Extract<EngineRequest, { kind: K }>,
    options: CallOptions,
  ): Promise<EngineReplies[K]> {
    const { signal, limitMs = this.#patienceMs } = options;
    return callWithin<K>(channel, request, { signal, limitMs }, this);
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function once(feeds: readonly Tensors[]): WireSample[] {
  return feeds.map((tensors) => ({ ref: 0, feeds: sendable(tensors) }));
}

/** The next few samples, as many as a message should carry, and whether they are known to be the last. */
async function nextFeeds(
  source: AsyncIterator<Tensors>,
): Promise<{ readonly feeds: readonly Tensors[]; readonly last: boolean }> {
  const feeds: Tensors[] = [];
  for (let bytes = 0; feeds.length < chunkSamples && bytes < reducedBytes;) {
    const next = await source.next();
    if (next.done === true) return { feeds, last: true };
    feeds.push(next.value);
    bytes += tensorBytes(next.value);
  }
  return { feeds, last: false };
}

/** The limit of a call for what takes as long as what was done before. */
function known({ signal, limitMs }: CallOptions, done: number): CallOptions {
  return { signal, limitMs: done > 0 ? Math.min(limitMs ?? hungMs, hungMs) : limitMs };
}

/** The limit of a call that by itself takes `allowedMs`. */
function longer({ signal, limitMs }: CallOptions, allowedMs: number): CallOptions {
  return { signal, limitMs: limitMs === undefined ? undefined : limitMs + allowedMs };
}
