import {
  type Accuracy,
  type AccuracyRequest,
  type Artifact,
  type ColdStart,
  type Executor,
  type LatencyComparison,
  type LatencyRequest,
  type Measure,
  type Measured,
  type Parity,
  type ParityRequest,
  PareError,
  type SampleSet,
  type SizeBytes,
  type SplitName,
  type StoredSample,
  type TargetName,
  type TryOut,
} from "@pare/runtime/format";
import { executor } from "../engines/executor.js";
import { singly } from "../engines/in-sequence.js";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost } from "../engines/host.js";
import type { Scorer } from "../metrics/scorer.js";
import { accuracyOf, bootstraps } from "./accuracy.js";
import {
  earlier,
  type EarlierResults,
  noEarlierResults,
  type ResultName,
  type ResultOf,
} from "./earlier-results.js";
import { LookedAt } from "./looked-at.js";
import { LoadedModels } from "./loaded-models.js";
import { ParityRuns } from "./parity-runs.js";
import { predictionsOf, Predictor } from "./predictor.js";
import { SecondTry } from "./second-try.js";
import { SharedSamples } from "./shared-samples.js";
import { sizeOf } from "./size.js";
import { Timings } from "./timings.js";
import { tryOut } from "./try-out.js";

export interface MeasureProgress {
  readonly target: TargetName;
  readonly phase: "loading" | "accuracy" | "parity" | "latency" | "start-up";
  /** Samples, in `accuracy` and `parity`; else 0 of 1. */
  readonly done: number;
  readonly total: number;
}

export interface MeasureOptions {
  /** The engines there are; a target without one throws UNSUPPORTED_DEVICE. */
  readonly hosts: ReadonlyMap<TargetName, EngineHost>;
  /** The user's samples, or generated ones: these are only timed and compared. */
  readonly samples: SampleSet;
  readonly splits: Readonly<Record<SplitName, readonly number[]>>;
  /** Null without data: nothing is called accuracy then. */
  readonly scorer: Scorer | null;
  readonly seed: number;
  /** Of runs with the same engines, samples and metric. */
  readonly earlier?: EarlierResults;
  readonly onProgress?: (progress: MeasureProgress) => void;
}

/** A measure whose engines can also be asked directly. */
export interface MeasuringEngines extends Measure {
  /** Loads nothing that is loaded already, and leaves it loaded for who asks next. */
  executor(target: TargetName): Executor;
}

/** Measures files on the engines that are open. What the float model says to a sample is asked once per engine. */
export function createMeasure(options: MeasureOptions): MeasuringEngines {
  return new Bench(options);
}

class Bench implements MeasuringEngines {
  readonly #options: MeasureOptions;
  readonly #lookedAt: LookedAt;
  readonly #models = new LoadedModels();
  readonly #sizes = new Map<string, Promise<SizeBytes>>();
  readonly #tryOuts = new Map<string, TryOut>();
  readonly #earlier: EarlierResults;
  readonly #predictor: Predictor;
  readonly #parityRuns: ParityRuns;
  readonly #timings: Timings;
  readonly #secondTry = new SecondTry();
  readonly #shared = new SharedSamples();

  constructor(options: MeasureOptions) {
    this.#options = options;
    this.#earlier = options.earlier ?? noEarlierResults;
    this.#lookedAt = new LookedAt(options);
    const shared = {
      samples: options.samples,
      models: this.#models,
      lookedAt: this.#lookedAt,
      earlier: this.#earlier,
      host: (target: TargetName) => this.#host(target),
    };
    this.#predictor = new Predictor({
      ...shared,
      sharing: (host, artifact) => this.#shared.engines(host, artifact),
      runMs: (identity, target) => this.#tryOuts.get(`${identity} ${target}`)?.runMs,
      onProgress: (target, done, total) => this.#progress(target, "accuracy", done, total),
    });
    this.#parityRuns = new ParityRuns({
      ...shared,
      onProgress: (target, done, total) => this.#progress(target, "parity", done, total),
    });
    this.#timings = new Timings({
      ...shared,
      seed: options.seed,
      onProgress: (target, done) => this.#progress(target, "latency", done, 1),
    });
  }

  get isMean(): boolean {
    return this.#options.scorer?.mean ?? false;
  }

  samples(split: SplitName): number {
    return this.#lookedAt.all(split).length;
  }

  executor(target: TargetName): Executor {
    const host = this.#host(target);
    return executor(host, (artifact, options) => this.#models.hold(host, artifact, options));
  }

  async size(artifact: Artifact): Promise<SizeBytes> {
    const identity = await this.#models.identity(artifact);
    const known = this.#sizes.get(identity);
    if (known) return known;
    const name = { kind: "size", artifact: identity } as const;
    const size = this.#remembered(name, () => sizeOf(artifact));
    this.#sizes.set(identity, size);
    return size;
  }

  async sampleMs(artifact: Artifact, target: TargetName): Promise<number | null> {
    const known: (number | null)[] = [];
    for (const split of ["validation", "test"] as const) {
      const of = { artifact, target, split, float: null };
      known.push(await this.#predictor.sampleMs(this.#options.scorer, of));
    }
    return known.find((ms) => ms !== null) ?? null;
  }

  tryOut(request: Measured): Promise<TryOut> {
    return this.#secondTry.ask([request.artifact], request, (again) => this.#tryOut(again));
  }

  async #tryOut({ artifact, target, ...options }: Measured): Promise<TryOut> {
    const identity = await this.#models.identity(artifact);
    const key = `${identity} ${target}`;
    const known = this.#tryOuts.get(key);
    if (known) return known;
    this.#progress(target, "loading", 0, 1);
    const name = { kind: "try-out", artifact: identity, target } as const;
    const made = await this.#remembered(name, () =>
      this.#load(this.#host(target), artifact, options),
    );
    this.#tryOuts.set(key, made);
    this.#progress(target, "loading", 1, 1);
    return made;
  }

  async shareSamples(request: Measured): Promise<number> {
    const { artifact, target } = request;
    const { runMs } = await this.tryOut(request);
    const host = this.#host(target);
    const { samples } = this.#options;
    const name = {
      kind: "shared",
      artifact: await this.#models.identity(artifact),
      target,
    } as const;
    const index = this.#firstIndex();
    const run = (engine: EngineHost, times: number): Promise<number> => {
      const indexes = Array.from({ length: times }, () => index);
      return this.#models.using(engine, artifact, request, (model) =>
        engine.runSamples(model, singly(samples), indexes, () => {}, request),
      );
    };
    const known = await earlier(this.#earlier, name);
    if (known !== undefined) return this.#shared.found(target, known.speed);
    const speed = await this.#shared.find(host, artifact, runMs, run);
    if (speed !== null) await this.#earlier.put(name, { speed });
    return this.#shared.found(target, speed ?? 1);
  }

  async #load(host: EngineHost, artifact: Artifact, options: CallOptions): Promise<TryOut> {
    const { feeds } = await this.#firstSample();
    return tryOut(this.#models, host, artifact, feeds, options);
  }

  /** From an earlier run, or measured now and kept for later ones. */
  async #remembered<Name extends ResultName>(
    name: Name,
    measure: () => Promise<ResultOf[Name["kind"]]>,
  ): Promise<ResultOf[Name["kind"]]> {
    const known = await earlier(this.#earlier, name);
    if (known !== undefined) return known;
    const measured = await measure();
    await this.#earlier.put(name, measured);
    return measured;
  }

  async knows(request: AccuracyRequest): Promise<boolean> {
    const { split, count } = request;
    const { scorer } = this.#options;
    const indexes = this.#lookedAt.first(split, count);
    if (scorer === null) return true;
    const { own, ofFloat } = predictionsOf(request);
    if (!(await this.#predictor.knows(scorer, ofFloat, indexes))) return false;
    return own === null || this.#predictor.knows(scorer, own, indexes);
  }

  accuracy(request: AccuracyRequest): Promise<Accuracy | null> {
    const { artifact, float } = request;
    const artifacts = float === undefined ? [artifact] : [artifact, float];
    return this.#secondTry.ask(artifacts, request, (again) => this.#accuracy(again));
  }

  async #accuracy(request: AccuracyRequest): Promise<Accuracy | null> {
    const { target, split, count } = request;
    const { scorer, seed } = this.#options;
    if (scorer === null || this.#lookedAt.first(split, count).length === 0) return null;
    const { own, ofFloat } = predictionsOf(request);
    const { indexes, float: before } = await this.#lookedAt.telling(split, count, scorer, (some) =>
      this.#predictor.predict(scorer, ofFloat, some, request),
    );
    const draws = split === "validation" && !scorer.mean ? bootstraps.quick : bootstraps.published;
    const options = { measuredOn: target, seed, draws };
    if (own === null) return accuracyOf(scorer, before, null, options);
    const now = await this.#predictor.predict(scorer, own, indexes, request);
    return accuracyOf(scorer, now, before, { ...options, confidence: request.confidence });
  }

  async parity(request: ParityRequest): Promise<Parity | null> {
    const { artifact, target, reference, split, count } = request;
    const by =
      "evaluate" in reference
        ? reference.name
        : {
            artifact: await this.#models.identity(reference.artifact),
            target: reference.target,
          };
    const compare = (again: ParityRequest): Promise<Parity | null> =>
      this.#parityRuns.compare(again);
    if (by === undefined) return this.#secondTry.ask([artifact], request, compare);
    const name = {
      kind: "parity",
      artifact: await this.#models.identity(artifact),
      target,
      reference: by,
      split,
      count,
    } as const;
    const known = await earlier(this.#earlier, name);
    if (known !== undefined) return known;
    const compared = await this.#secondTry.ask([artifact], request, compare);
    if (compared !== null) await this.#earlier.put(name, compared);
    return compared;
  }

  async latency(request: LatencyRequest): Promise<LatencyComparison> {
    const name = await this.#timings.name(request);
    const time = (): Promise<LatencyComparison> =>
      this.#secondTry.ask(request.artifacts, request, (again) => this.#timings.time(again, name));
    if (request.screening === true) return this.#remembered(name, time);
    const compared = await time();
    await this.#earlier.put(name, compared);
    return compared;
  }

  async earlierLatency(request: LatencyRequest): Promise<LatencyComparison | null> {
    return (await earlier(this.#earlier, await this.#timings.name(request))) ?? null;
  }

  async coldStart(request: Measured): Promise<ColdStart> {
    const artifact = await this.#models.identity(request.artifact);
    const name = { kind: "cold-start", artifact, target: request.target } as const;
    return this.#remembered(name, () =>
      this.#secondTry.ask([request.artifact], request, (again) => this.#coldStart(again)),
    );
  }

  async #coldStart({ artifact, target, ...options }: Measured): Promise<ColdStart> {
    const { feeds } = await this.#firstSample();
    this.#progress(target, "start-up", 0, 1);
    const cold = await this.#host(target).coldStart(artifact, feeds, options);
    this.#progress(target, "start-up", 1, 1);
    return cold;
  }

  #firstSample(): Promise<StoredSample> {
    const { samples } = this.#options;
    if (samples.size === 0)
      throw new PareError("DATA_INVALID", "There are no samples to measure with.", {
        where: "samples",
        hint: "Give at least one.",
      });
    return samples.sample(this.#firstIndex());
  }

  #firstIndex(): number {
    return this.#lookedAt.all("validation")[0] ?? 0;
  }

  #host(target: TargetName): EngineHost {
    const host = this.#options.hosts.get(target);
    if (host) return host;
    throw new PareError("UNSUPPORTED_DEVICE", `There is no engine for ${target} here.`, {
      where: target,
      hint: "Run `pare doctor`: it says what is missing.",
    });
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
