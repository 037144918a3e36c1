import { readFile } from "node:fs/promises";
import {
  bytesOf,
  type DeviceFeature,
  isTypedArray,
  type LoadOptions,
  type ModelSource,
  PareError,
  type SampleSet,
  type StoredSample,
  type TargetName,
  type Tensors,
  throwIfAborted,
  type ValueInfo,
} from "@pare/runtime/format";
import type { BlockTimes, TimingPlan } from "../timing/blocks.js";
import { readModel } from "./model-bytes.js";
import type { Channel, EngineReplies, EngineRequest, WireModel, WireSample } from "./protocol.js";

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

/** How many bytes of samples an engine keeps between candidates; what is over goes with each run. */
const residentBytes = 512 * 2 ** 20;
const chunkMs = 250;
const chunkSamples = 64;
const chunkBytes = 32 * 2 ** 20;

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
  #channel: Channel | null;
  #turn: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #resident = new Map<SampleSet, Map<number, number>>();
  #residentBytes = 0;
  #nextRef = 1;

  private constructor(
    description: HostDescription,
    channel: Channel,
    open: () => Promise<Channel>,
    close: () => Promise<void>,
  ) {
    this.target = description.target;
    this.engine = description.engine;
    this.software = description.software;
    this.features = description.features;
    this.#channel = channel;
    this.#open = open;
    this.#close = close;
  }

  /**
   * @param open starts the engine anew; called again for cold starts and after a crash
   * @throws PareError UNSUPPORTED_DEVICE or ENGINE_MISSING when the engine cannot run here, saying why
   */
  static async start(
    target: TargetName,
    open: () => Promise<Channel>,
    close: () => Promise<void> = async () => {},
  ): Promise<EngineHost> {
    const channel = await open();
    try {
      const probe = await channel.call({ kind: "probe" });
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
      );
    } catch (error) {
      await channel.dispose();
      throw error;
    }
  }

  async load(model: ModelSource, options: LoadOptions = {}): Promise<LoadedModel> {
    const id = this.#nextId++;
    const reply = await this.#exclusive(async () => {
      const channel = await this.#live();
      return channel.call(
        {
          kind: "load",
          id,
          model: await wire(model, channel),
          threads: options.threads ?? 1,
          session: options.session ?? {},
        },
        options.signal,
      );
    });
    return { id, ...reply };
  }

  async unload(model: LoadedModel): Promise<void> {
    if (this.#channel?.alive) await this.#call({ kind: "unload", id: model.id });
  }

  /** One run on feeds of the caller's. */
  async run(model: LoadedModel, feeds: Tensors, signal?: AbortSignal): Promise<Tensors> {
    const { outputs } = await this.#call(
      { kind: "run", id: model.id, samples: [{ ref: 0, feeds: sendable(feeds) }] },
      signal,
    );
    return outputs[0] ?? {};
  }

  /**
   * Runs samples in order and hands over each one's outputs; none are held. Samples stay in the engine, up to 512 MB,
   * so that the next candidate need not be sent them again.
   * @param each may be slow: nothing runs meanwhile
   * @param until stops early when it says so; asked between batches
   * @returns how many ran
   */
  async runSamples(
    model: LoadedModel,
    samples: SampleSet,
    indexes: readonly number[],
    each: (outputs: Tensors, sample: StoredSample, position: number) => Promise<void> | void,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly until?: (done: number) => boolean;
    } = {},
  ): Promise<number> {
    let msPerSample = chunkMs;
    let done = 0;
    while (done < indexes.length && !options.until?.(done)) {
      throwIfAborted(options.signal);
      const size = Math.min(chunkSamples, Math.max(1, Math.round(chunkMs / msPerSample)));
      const stored: StoredSample[] = [];
      let bytes = 0;
      for (const index of indexes.slice(done, done + size)) {
        const sample = await samples.sample(index);
        bytes += tensorBytes(sample.feeds);
        if (stored.length > 0 && bytes > chunkBytes) break;
        stored.push(sample);
      }
      const reply = await this.#exclusive(async () => {
        const channel = await this.#live();
        const request = stored.map((sample, offset) =>
          this.#ticket(samples, indexes[done + offset] ?? 0, sample),
        );
        return channel.call({ kind: "run", id: model.id, samples: request }, options.signal);
      });
      for (const [offset, outputs] of reply.outputs.entries())
        await each(outputs, stored[offset] as StoredSample, done + offset);
      msPerSample = reply.ms / stored.length;
      done += stored.length;
    }
    return done;
  }

  /** Runs models until their times settle, and plans how to time them. */
  async warmUp(
    models: readonly LoadedModel[],
    feeds: readonly Tensors[],
    maxMs: number,
    signal?: AbortSignal,
  ): Promise<TimingPlan> {
    const { plan } = await this.#call(
      { kind: "warm-up", ids: models.map(({ id }) => id), samples: once(feeds), maxMs },
      signal,
    );
    return plan;
  }

  /** Times models in interleaved blocks, inside the engine's process. */
  async time(
    models: readonly LoadedModel[],
    feeds: readonly Tensors[],
    plan: TimingPlan,
    blocks: number,
    signal?: AbortSignal,
  ): Promise<readonly BlockTimes[]> {
    const reply = await this.#call(
      { kind: "time", ids: models.map(({ id }) => id), samples: once(feeds), plan, blocks },
      signal,
    );
    return reply.blocks;
  }

  /** Loads and runs a model once in an engine started for it alone: what a user waits for, and what memory it takes. */
  async coldStart(
    model: ModelSource,
    feeds: Tensors,
    options: LoadOptions = {},
  ): Promise<{ startupMs: number; memoryBytes: number | null }> {
    return this.#exclusive(async () => {
      const channel = await this.#open();
      try {
        await channel.call({ kind: "probe" }, options.signal);
        const load = {
          kind: "load",
          id: 1,
          model: await wire(model, channel),
          threads: options.threads ?? 1,
          session: options.session ?? {},
        } as const;
        const { loadMs } = await channel.call(load, options.signal);
        const { ms } = await channel.call(
          { kind: "run", id: 1, samples: once([feeds]) },
          options.signal,
        );
        const { peakBytes } = await channel.call({ kind: "memory" }, options.signal);
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
    this.#resident = new Map();
    this.#residentBytes = 0;
    await this.#channel?.dispose();
    this.#channel = await this.#open();
    return this.#channel;
  }

  #call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]> {
    return this.#exclusive(async () => (await this.#live()).call<K>(request, signal));
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** A sample by number where the engine has it, with its feeds where not. */
  #ticket(samples: SampleSet, index: number, sample: StoredSample): WireSample {
    let known = this.#resident.get(samples);
    if (!known) this.#resident.set(samples, (known = new Map()));
    const held = known.get(index);
    if (held !== undefined) return { ref: held };
    const bytes = tensorBytes(sample.feeds);
    const keep = this.#residentBytes + bytes <= residentBytes;
    const ref = this.#nextRef++;
    if (keep) {
      known.set(index, ref);
      this.#residentBytes += bytes;
    }
    return { ref, feeds: sendable(sample.feeds), keep };
  }
}

function once(feeds: readonly Tensors[]): WireSample[] {
  return feeds.map((tensors) => ({ ref: 0, feeds: sendable(tensors) }));
}

async function wire(model: ModelSource, channel: Channel): Promise<WireModel> {
  return "path" in model && channel.sharesDisk ? model : readModel(model, readFile);
}

function tensorBytes(tensors: Tensors): number {
  let bytes = 0;
  for (const { data } of Object.values(tensors))
    bytes += isTypedArray(data) ? bytesOf(data).byteLength : data.length * 16;
  return bytes;
}

/** Plain objects with type, dims and data: onnxruntime's tensors are classes that do not travel. */
function sendable(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims, data }]) => [
      name,
      { type, dims: [...dims], data },
    ]),
  );
}
