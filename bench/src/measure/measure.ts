import {
  type Accuracy,
  isPareError,
  type Measure,
  type Measurement,
  type MeasureRequest,
  type Parity,
  PareError,
  type SampleSet,
  type SizeBytes,
  type SplitName,
  type StoredSample,
  type TargetName,
  type Tensors,
} from "@pare/runtime/format";
import type { EngineHost } from "../engines/host.js";
import type { Scorer } from "../metrics/scorer.js";
import { accuracyOf, type Scored } from "./accuracy.js";
import { FloatMemory } from "./float-memory.js";
import { candidateLimits, finalLimits, measureLatency } from "./latency.js";
import { ParityMeter } from "./parity.js";
import { sizeOf } from "./size.js";
import { loadOptions, type Model, Visit } from "./visit.js";

export interface MeasureProgress {
  readonly target: TargetName;
  readonly phase: "loading" | "accuracy" | "parity" | "latency" | "start-up";
  /** Samples, in `accuracy` and `parity`; else 0 of 1. */
  readonly done: number;
  readonly total: number;
}

export interface MeasureOptions {
  /** The engines there are; a target without one throws UNSUPPORTED_DEVICE. `cpu` is also what the others agree with (for a software GPU, `wasm` where there is no `cpu`). */
  readonly hosts: ReadonlyMap<TargetName, EngineHost>;
  /** The user's samples, or generated ones: these are only timed and compared. */
  readonly samples: SampleSet;
  readonly splits: Readonly<Record<SplitName, readonly number[]>>;
  /** Null without data: nothing is called accuracy then. */
  readonly scorer: Scorer | null;
  readonly seed: number;
  /** Milliseconds a software GPU may take for parity after its 16 samples; 5 s where not given. */
  readonly softwareGpuMs?: number;
  readonly onProgress?: (progress: MeasureProgress) => void;
}

const paritySamples = 16;
const timedSamples = 4;
/** A WebAssembly engine beyond this is started anew: its memory never shrinks. */
const recycleBytes = 1.5 * 2 ** 30;

/**
 * Measures models as the compiler asks. Baselines are answered from memory where they can be: what the float model
 * says to a sample is computed once per target.
 *
 * On a software GPU nothing is timed and accuracy is the CPU engine's. The GPU engine itself runs only for the `test`
 * split: there the file that was chosen is loaded and compared with the CPU engine.
 */
export function createMeasure(options: MeasureOptions): Measure {
  const bench = new Bench(options);
  return (request) => bench.measure(request);
}

class Bench {
  readonly #options: MeasureOptions;
  readonly #sizes = new Map<string, Promise<SizeBytes>>();
  readonly #float = new FloatMemory();

  constructor(options: MeasureOptions) {
    this.#options = options;
  }

  async measure(request: MeasureRequest): Promise<Measurement> {
    const { target, signal } = request;
    const { hosts, scorer, samples, splits } = this.#options;
    const host = hosts.get(target);
    if (!host)
      throw new PareError("UNSUPPORTED_DEVICE", `There is no engine for ${target} here.`, {
        where: target,
        hint: "Run `pare doctor`: it says what is missing.",
      });
    if (samples.size === 0)
      throw new PareError("DATA_INVALID", "There are no samples to measure with.", {
        where: "samples",
        hint: "Give at least one.",
      });
    // What answers for a software GPU, and what the others are held against.
    const cpu = hosts.get("cpu") ?? (host.software ? hosts.get("wasm") : undefined) ?? null;
    const scoring = host.software ? cpu : host;
    const indexes = spread(splits[request.split], request.limit);
    const visit = new Visit(request);
    try {
      const size = this.#size(await visit.bytes());
      size.catch(() => {});
      await this.#tryOut(visit, spared(host, request) ? scoring : host);
      const accuracy =
        scorer && scoring && indexes.length > 0
          ? await this.#accuracy(visit, scoring, scorer, indexes)
          : null;
      const parity = await this.#parity(visit, host, cpu);
      const sizeBytes = await size;
      const timing = await this.#timing(visit, host, indexes);
      return { target, engine: host.engine, sizeBytes, accuracy, parity, ...timing };
    } finally {
      await visit.leave();
      if (target === "wasm" && !signal?.aborted) await this.#recycle(host);
    }
  }

  /** It loads and answers: whatever else is asked, a file that its engine refuses is never measured. */
  async #tryOut(visit: Visit, host: EngineHost | null): Promise<void> {
    if (!host) return;
    this.#progress(visit.request.target, "loading", 0, 1);
    const model = await visit.modelOn(host);
    const { samples, splits } = this.#options;
    const { feeds } = await samples.sample(splits[visit.request.split][0] ?? 0);
    await host.run(model, feeds, visit.request.signal);
    this.#progress(visit.request.target, "loading", 1, 1);
  }

  #size(model: Model): Promise<SizeBytes> {
    const known = this.#sizes.get(model.hash);
    if (known) return known;
    const size = sizeOf(model.bytes);
    this.#sizes.set(model.hash, size);
    return size;
  }

  async #accuracy(
    visit: Visit,
    host: EngineHost,
    scorer: Scorer,
    indexes: readonly number[],
  ): Promise<Accuracy> {
    const { samples, seed } = this.#options;
    const { request } = visit;
    const progress = (done: number) =>
      this.#progress(request.target, "accuracy", done, indexes.length);
    const remembered = this.#float.of(
      request.baseline ? (await visit.baselineBytes()).hash : (await visit.bytes()).hash,
      host.target,
    );
    const float = () => (request.baseline ? visit.baselineOn(host) : visit.modelOn(host));

    const missing = indexes.filter((index) => !remembered.has(index));
    if (missing.length > 0) {
      const model = await float();
      await host.runSamples(
        model,
        samples,
        missing,
        async (outputs, sample, position) => {
          remembered.set(
            missing[position] ?? 0,
            await scorer.keep(outputs, sample, outputs),
            scorer.needsFloat ? outputs : null,
          );
          if (!request.baseline) progress(position + 1);
        },
        request,
      );
    }
    const scoredFloat = await this.#scored(indexes, (index) => remembered.kept(index));
    if (!request.baseline) return accuracyOf(scorer, scoredFloat, null, host.target, seed);

    const kept: unknown[] = [];
    const model = await visit.modelOn(host);
    await host.runSamples(
      model,
      samples,
      indexes,
      async (outputs, sample, position) => {
        const held = scorer.needsFloat
          ? (remembered.outputs(indexes[position] ?? 0) ??
            (await host.run(await float(), sample.feeds, request.signal)))
          : null;
        kept.push(await scorer.keep(outputs, sample, held));
        progress(position + 1);
      },
      request,
    );
    return accuracyOf(scorer, { ...scoredFloat, kept }, scoredFloat, host.target, seed);
  }

  async #scored(indexes: readonly number[], kept: (index: number) => unknown): Promise<Scored> {
    const ids: string[] = [];
    const groups: (string | null)[] = [];
    for (const index of indexes) {
      const { id, group } = await this.#options.samples.sample(index);
      ids.push(id);
      groups.push(group);
    }
    return { kept: indexes.map(kept), ids, groups };
  }

  /** With the CPU engine; on `cpu` itself, with the float model. */
  async #parity(visit: Visit, host: EngineHost, cpu: EngineHost | null): Promise<Parity | null> {
    const { request } = visit;
    const { samples, splits, softwareGpuMs = 5000 } = this.#options;
    if (!cpu || (host === cpu && !request.baseline) || spared(host, request)) return null;
    const model = await visit.modelOn(host);
    const reference = await (host === cpu ? visit.baselineOn(cpu) : visit.modelOn(cpu)).catch(
      (error: unknown) => {
        if (isPareError(error) && error.code === "ENGINE") return null;
        throw error;
      },
    );
    if (!reference) return null;
    const own = splits[request.split];
    const pool = [...new Set([...own, ...splits.test, ...splits.validation])].slice(
      0,
      host.software ? Math.max(paritySamples, own.length) : paritySamples,
    );
    const meter = new ParityMeter();
    const started = performance.now();
    const compare = async (outputs: Tensors, sample: StoredSample, position: number) => {
      meter.add(outputs, await cpu.run(reference, sample.feeds, request.signal));
      this.#progress(request.target, "parity", position + 1, pool.length);
    };
    const until = (done: number) =>
      done >= paritySamples && performance.now() - started > softwareGpuMs;
    await host.runSamples(model, samples, pool.length > 0 ? pool : [0], compare, {
      ...request,
      until,
    });
    return meter.result();
  }

  async #timing(
    visit: Visit,
    host: EngineHost,
    indexes: readonly number[],
  ): Promise<Pick<Measurement, "latencyMs" | "memoryBytes" | "startupMs">> {
    const { request } = visit;
    const { samples, seed } = this.#options;
    if (host.software)
      return untimed(`The GPU of ${host.engine} is emulated on the CPU: its times say nothing.`);
    if (!request.timed) return untimed("Not asked for.");
    const feeds: Tensors[] = [];
    for (const index of (indexes.length > 0 ? indexes : [0]).slice(0, timedSamples))
      feeds.push((await samples.sample(index)).feeds);

    this.#progress(request.target, "latency", 0, 1);
    const model = await visit.modelOn(host);
    const models = request.baseline
      ? ([await visit.baselineOn(host), model] as const)
      : ([model] as const);
    const limits = request.split === "test" ? finalLimits : candidateLimits;
    const latencyMs = await measureLatency(host, models, feeds, {
      limits,
      seed,
      signal: request.signal,
    });
    this.#progress(request.target, "latency", 1, 1);
    const cold = await host.coldStart(request.model, feeds[0] ?? {}, loadOptions(request));
    this.#progress(request.target, "start-up", 1, 1);
    return { latencyMs, ...cold };
  }

  async #recycle(host: EngineHost): Promise<void> {
    const bytes = await host.peakBytes().catch(() => null);
    if (bytes !== null && bytes > recycleBytes) await host.recycle();
  }

  #progress(
    target: TargetName,
    phase: MeasureProgress["phase"],
    done: number,
    total: number,
  ): void {
    this.#options.onProgress?.({ target, phase, done, total });
  }
}

/** A software GPU takes half a second a sample: it runs only a variant that was chosen, for its final numbers. */
function spared(host: EngineHost, { split, baseline }: MeasureRequest): boolean {
  return host.software && (split !== "test" || baseline === undefined);
}

/** At most `limit` of the samples, evenly over them all: data that lies sorted by class is not cut to one class. */
function spread(indexes: readonly number[], limit = indexes.length): readonly number[] {
  if (limit >= indexes.length) return indexes;
  return Array.from(
    { length: limit },
    (_, at) => indexes[Math.floor((at * indexes.length) / limit)] ?? 0,
  );
}

function untimed(unmeasured: string): Pick<Measurement, "latencyMs" | "memoryBytes" | "startupMs"> {
  return { latencyMs: { unmeasured }, memoryBytes: null, startupMs: null };
}
