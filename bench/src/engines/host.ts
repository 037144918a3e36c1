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
  type ValueInfo,
} from "@pare/runtime/format";
import type { BlockTimes, TimingPlan } from "../timing/blocks.js";
import { asBefore, longerBy } from "./answer-limits.js";
import { type CallOptions, callWithin } from "./call-within.js";
import { LiveEngine, type OpenChannel } from "./live-engine.js";
import type { Channel } from "./protocol.js";
import { reduceSamples } from "./reduce-samples.js";
import { residentBytes, ResidentSamples, sentOnce } from "./resident-samples.js";
import { type RunSamplesOptions, SampleRuns } from "./run-samples.js";

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

/** What is timed may take so many times as long as expected, beside other programs. */
const mostSlowdown = 4;
/** For an answer, where nobody says. */
const defaultPatienceMs = 120_000;

export interface StartOptions {
  /** An engine that takes longer for one answer is ended, where a call sets no limit of its own. Default two minutes. */
  readonly patienceMs?: number | undefined;
  /** Ends it while it starts. */
  readonly signal?: AbortSignal | undefined;
}

/** One target's engine in another process: it starts when first asked, and again after a crash. */
export class EngineHost implements HostDescription {
  readonly target: TargetName;
  readonly engine: string;
  readonly software: boolean;
  readonly features: readonly DeviceFeature[];
  readonly #live: LiveEngine;
  readonly #another: () => EngineHost;
  readonly #beside: EngineHost[] = [];
  readonly #resident: ResidentSamples;
  #nextId = 1;

  private constructor(
    description: HostDescription,
    channel: Channel | null,
    open: OpenChannel,
    patienceMs: number,
    mostBytes = residentBytes.first,
  ) {
    this.#another = () => new EngineHost(description, null, open, patienceMs, residentBytes.beside);
    this.#resident = new ResidentSamples(mostBytes);
    this.target = description.target;
    this.engine = description.engine;
    this.software = description.software;
    this.features = description.features;
    this.#live = new LiveEngine(description, channel, open, patienceMs, () =>
      this.#resident.forget(),
    );
  }

  /**
   * @param open starts the engine anew; called again for cold starts and after a crash
   * @throws PareError UNSUPPORTED_DEVICE or ENGINE_MISSING when the engine cannot run here, saying why; ABORTED
   */
  static async start(
    target: TargetName,
    open: OpenChannel,
    { patienceMs = defaultPatienceMs, signal }: StartOptions = {},
  ): Promise<EngineHost> {
    const channel = await open(signal);
    try {
      const limits = { limitMs: patienceMs, signal };
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
        patienceMs,
      );
    } catch (error) {
      await channel.dispose();
      throw error;
    }
  }

  /** Grows when the engine starts anew: what was loaded in it before is gone. */
  get generation(): number {
    return this.#live.generation;
  }

  /** Engines of the same kind beside this one, which start when they are first asked and end with it. */
  beside(count: number): readonly EngineHost[] {
    while (this.#beside.length < count) this.#beside.push(this.#another());
    return this.#beside.slice(0, count);
  }

  /** Has the engine start, and not with its first model. */
  async prepare(options: CallOptions = {}): Promise<void> {
    await this.#live.call<"start">({ kind: "start" }, options);
  }

  async load(artifact: Artifact, options: LoadOptions & CallOptions = {}): Promise<LoadedModel> {
    const id = this.#nextId++;
    const threads = options.threads ?? 1;
    const request = { kind: "load", id, artifact, threads } as const;
    const reply = await this.#live.call<"load">(request, options);
    return { id, ...reply };
  }

  async unload(model: LoadedModel): Promise<void> {
    if (this.#live.alive) await this.#live.call({ kind: "unload", id: model.id });
  }

  /** One run on feeds of the caller's. */
  async run(model: LoadedModel, feeds: Tensors, options: CallOptions = {}): Promise<Tensors> {
    const request = { kind: "run", id: model.id, samples: sentOnce([feeds]) } as const;
    const { outputs } = await this.#live.call<"run">(request, options);
    return outputs[0] ?? {};
  }

  /** Runs a model a few times on one sample; the quickest time of a run. */
  async quickest(
    model: LoadedModel,
    feeds: Tensors,
    runs: number,
    options: CallOptions = {},
  ): Promise<number> {
    const request = { kind: "run", id: model.id, samples: sentOnce([feeds]) } as const;
    let best = Infinity;
    for (let run = 0; run < runs; run++) {
      const { ms } = await this.#live.call<"run">(request, options);
      best = Math.min(best, ms);
    }
    return best;
  }

  /**
   * Runs samples in order and hands over each one's outputs; none are held. Samples stay in the engine, up to 512 MB,
   * so that the next candidate need not be sent them again.
   * @param each may be slow: the engine goes on with the next few samples meanwhile
   * @returns how many ran
   */
  runSamples(
    model: LoadedModel,
    samples: SampleSet,
    indexes: readonly number[],
    each: (outputs: Tensors, sample: SampleInfo, position: number) => Promise<void> | void,
    options: RunSamplesOptions = {},
  ): Promise<number> {
    const runs = new SampleRuns(this.#live, this.#resident, model.id, samples, this.#nextId++);
    return runs.run(indexes, each, options);
  }

  /** Runs samples in order and reduces their outputs in the engine's process; nothing is kept of samples. */
  reduce(
    model: LoadedModel,
    samples: AsyncIterable<Tensors>,
    reductions: readonly Reduction[],
    options: ReduceOptions & CallOptions = {},
  ): Promise<readonly Reduced[]> {
    const ids = { id: model.id, reduction: this.#nextId++ };
    return reduceSamples(this.#live, ids, samples, reductions, options);
  }

  /** Runs models until their times settle, and plans how to time them. */
  async warmUp(
    models: readonly LoadedModel[],
    feeds: readonly Tensors[],
    maxMs: number,
    options: CallOptions = {},
  ): Promise<TimingPlan> {
    const ids = models.map(({ id }) => id);
    const { plan } = await this.#live.call<"warm-up">(
      { kind: "warm-up", ids, samples: sentOnce(feeds), maxMs },
      longerBy(options, models.length * maxMs),
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
    const ids = models.map(({ id }) => id);
    const reply = await this.#live.call<"time">(
      { kind: "time", ids, samples: sentOnce(feeds), plan, blocks },
      longerBy(asBefore(options, 0), mostSlowdown * blocks * plan.expectedMs),
    );
    return reply.blocks;
  }

  /** Loads and runs a model once in an engine started for it alone: what a user waits for, and what memory it takes. */
  coldStart(
    artifact: Artifact,
    feeds: Tensors,
    options: LoadOptions & CallOptions = {},
  ): Promise<{ startupMs: number; memoryBytes: number | null }> {
    return this.#live.inFresh(async (ask) => {
      await ask<"probe">({ kind: "probe" }, options);
      const threads = options.threads ?? 1;
      const { loadMs } = await ask<"load">({ kind: "load", id: 1, artifact, threads }, options);
      const run = { kind: "run", id: 1, samples: sentOnce([feeds]) } as const;
      const { ms } = await ask<"run">(run, options);
      const { peakBytes } = await ask<"memory">({ kind: "memory" }, options);
      return { startupMs: loadMs + ms, memoryBytes: peakBytes };
    }, options.signal);
  }

  /** Peak memory of the engine so far; null where it cannot be read or the engine is not running. */
  async peakBytes(): Promise<number | null> {
    return this.#live.alive
      ? (await this.#live.call<"memory">({ kind: "memory" })).peakBytes
      : null;
  }

  /** Ends the engine, and those beside it; each starts again, empty, when next asked. WebAssembly gives its memory back only so. */
  async recycle(): Promise<void> {
    await Promise.all([this.#live.recycle(), ...this.#beside.map((one) => one.recycle())]);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#live.dispose(), ...this.#beside.map((one) => one.dispose())]);
  }
}
