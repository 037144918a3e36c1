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
  type SampleInfo,
  type SampleSet,
  type SizeBytes,
  type SplitName,
  type StoredSample,
  type TargetName,
  type Tensors,
  type TryOut,
} from "@pare/runtime/format";
import { executor } from "../engines/executor.js";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost } from "../engines/host.js";
import type { Scorer } from "../metrics/scorer.js";
import { accuracyOf, bootstraps, type Scored } from "./accuracy.js";
import { measureLatency } from "./latency.js";
import {
  earlier,
  type EarlierResults,
  noEarlierResults,
  type ResultName,
  type ResultOf,
} from "./earlier-results.js";
import { LoadedModels } from "./loaded-models.js";
import { ParityMeter } from "./parity.js";
import { Predictions, Room } from "./predictions.js";
import { sampleOrder } from "./sample-order.js";
import { sizeOf } from "./size.js";

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

const timedSamples = 4;
const quickRuns = 5;
/** Predictions that take long are kept as they come: an interrupted run has lost no more. */
const keepEveryMs = 5000;
/** A WebAssembly engine beyond this is started anew: its memory never shrinks. */
const recycleBytes = 1.5 * 2 ** 30;

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
  readonly #orders: Readonly<Record<SplitName, readonly number[]>>;
  readonly #models = new LoadedModels();
  readonly #sizes = new Map<string, Promise<SizeBytes>>();
  readonly #tryOuts = new Map<string, TryOut>();
  readonly #predictions = new Map<string, Promise<Predictions>>();
  readonly #earlier: EarlierResults;
  readonly #room = new Room();

  constructor(options: MeasureOptions) {
    this.#options = options;
    const { splits, seed } = options;
    this.#earlier = options.earlier ?? noEarlierResults;
    this.#orders = {
      calibration: sampleOrder(splits.calibration, seed),
      validation: sampleOrder(splits.validation, seed),
      test: sampleOrder(splits.test, seed),
    };
  }

  get isMean(): boolean {
    return this.#options.scorer?.mean ?? false;
  }

  samples(split: SplitName): number {
    return this.#orders[split].length;
  }

  executor(target: TargetName): Executor {
    const host = this.#host(target);
    return executor(host, (artifact, options) => this.#models.on(host, artifact, options));
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
    for (const split of ["validation", "test"] as const)
      known.push((await this.#predictionsOf(artifact, target, split, null)).sampleMs);
    return known.find((ms) => ms !== null) ?? null;
  }

  async tryOut({ artifact, target, ...options }: Measured): Promise<TryOut> {
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

  async #load(host: EngineHost, artifact: Artifact, options: CallOptions): Promise<TryOut> {
    const { feeds } = await this.#sample("validation");
    await this.#recycle(host);
    const model = await this.#models.on(host, artifact, options);
    const first = await host.quickest(model, feeds, 1, options);
    // WebAssembly's first runs are in its baseline tier: a few more where they cost nothing.
    const more = first < 100 ? await host.quickest(model, feeds, quickRuns - 1, options) : Infinity;
    return { loadMs: model.loadMs, runMs: Math.min(first, more) };
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

  async accuracy(request: AccuracyRequest): Promise<Accuracy | null> {
    const { artifact, float = artifact, target, floatOn = target, split, count } = request;
    const { scorer, seed } = this.#options;
    const indexes = this.#orders[split].slice(0, count);
    if (scorer === null || indexes.length === 0) return null;
    const before = await this.#predict(scorer, float, floatOn, split, indexes, null, request);
    const draws = split === "validation" && !scorer.mean ? bootstraps.quick : bootstraps.published;
    if (request.float === undefined)
      return accuracyOf(scorer, before, null, target, seed, 0.95, draws);
    const against = { float, floatOn };
    const now = await this.#predict(scorer, artifact, target, split, indexes, against, request);
    return accuracyOf(scorer, now, before, target, seed, request.confidence, draws);
  }

  async parity(request: ParityRequest): Promise<Parity | null> {
    const { artifact, target, reference, split, count, maxMs, atLeast = 1 } = request;
    const { samples } = this.#options;
    const host = this.#host(target);
    const model = await this.#models.on(host, artifact, request);
    const ask = await this.#reference(reference, request);
    const own = this.#orders[split];
    // Where a split has too few, the others help out: whether two engines agree is no matter of what was seen.
    const pool = [...new Set([...own, ...this.#orders.test, ...this.#orders.validation])];
    const indexes = (pool.length > 0 ? pool : [0]).slice(0, Math.max(1, count));
    const meter = new ParityMeter();
    const started = performance.now();
    const compare = async (outputs: Tensors, _: SampleInfo, position: number) => {
      const { feeds } = await samples.sample(indexes[position] ?? 0);
      meter.add(outputs, await ask(feeds));
      this.#progress(target, "parity", position + 1, indexes.length);
    };
    const until = (done: number) => done >= atLeast && performance.now() - started > (maxMs ?? 0);
    const options = maxMs === undefined ? request : { ...request, until };
    await host.runSamples(model, samples, indexes, compare, options);
    return meter.result();
  }

  async latency(request: LatencyRequest): Promise<LatencyComparison> {
    const name = await this.#latencyName(request);
    if (request.screening === true) return this.#remembered(name, () => this.#time(request));
    const compared = await this.#time(request);
    await this.#earlier.put(name, compared);
    return compared;
  }

  async earlierLatency(request: LatencyRequest): Promise<LatencyComparison | null> {
    return (await earlier(this.#earlier, await this.#latencyName(request))) ?? null;
  }

  async #latencyName({
    artifacts,
    target,
    limits,
    seed,
  }: LatencyRequest): Promise<ResultName & { readonly kind: "latency" }> {
    const identities = await Promise.all(artifacts.map((one) => this.#models.identity(one)));
    return { kind: "latency", artifacts: identities, target, limits, seed };
  }

  async #time(request: LatencyRequest): Promise<LatencyComparison> {
    const { artifacts, target, limits, seed } = request;
    const { samples } = this.#options;
    const host = this.#host(target);
    const feeds: Tensors[] = [];
    const order = this.#orders.validation;
    for (const index of (order.length > 0 ? order : [0]).slice(0, timedSamples))
      feeds.push((await samples.sample(index)).feeds);
    this.#progress(target, "latency", 0, 1);
    if (request.fresh === true) await this.#models.unload(host);
    const models = await this.#models.all(host, artifacts, request);
    const compared = await measureLatency(host, models, feeds, {
      limits,
      seed: this.#options.seed + seed,
      signal: request.signal,
      limitMs: request.limitMs,
    });
    this.#progress(target, "latency", 1, 1);
    return compared;
  }

  async coldStart({ artifact, target, ...options }: Measured): Promise<ColdStart> {
    const { feeds } = await this.#sample("validation");
    this.#progress(target, "start-up", 0, 1);
    const cold = await this.#host(target).coldStart(artifact, feeds, options);
    this.#progress(target, "start-up", 1, 1);
    return cold;
  }

  /** What a model says to samples; only those are run that it was not asked before. */
  async #predict(
    scorer: Scorer,
    artifact: Artifact,
    target: TargetName,
    split: SplitName,
    indexes: readonly number[],
    against: { readonly float: Artifact; readonly floatOn: TargetName } | null,
    options: CallOptions,
  ): Promise<Scored> {
    const { samples } = this.#options;
    const own = await this.#predictionsOf(artifact, target, split, against);
    await own.inTurn(() =>
      this.#predictMissing(own, scorer, artifact, target, split, indexes, against, options),
    );
    const ids: string[] = [];
    const groups: (string | null)[] = [];
    for (const index of indexes) {
      const { id, group } = await samples.info(index);
      ids.push(id);
      groups.push(group);
    }
    return { kept: indexes.map((index) => own.kept(index)), ids, groups, draws: own.draws };
  }

  async #predictMissing(
    own: Predictions,
    scorer: Scorer,
    artifact: Artifact,
    target: TargetName,
    split: SplitName,
    indexes: readonly number[],
    against: { readonly float: Artifact; readonly floatOn: TargetName } | null,
    options: CallOptions,
  ): Promise<void> {
    const missing = indexes.filter((index) => !own.has(index));
    if (missing.length === 0) return;
    const { samples } = this.#options;
    const done = indexes.length - missing.length;
    const float =
      against && (await this.#predictionsOf(against.float, against.floatOn, split, null));
    const host = this.#host(target);
    const model = await this.#models.on(host, artifact, options);
    const name = await this.#predictionsName(artifact, target, split, against);
    let keptAt = performance.now();
    let toldAt = 0;
    let reached = 0;
    const settle = async (samples: number): Promise<void> => {
      if (samples === toldAt) return;
      const now = performance.now();
      own.took(now - keptAt, samples - toldAt);
      [keptAt, toldAt] = [now, samples];
      const { result } = own;
      if (result !== undefined) await this.#earlier.put(name, result);
    };
    const keep = async (outputs: Tensors, sample: SampleInfo, position: number) => {
      const index = missing[position] ?? 0;
      const floats =
        float === null || against === null
          ? outputs
          : scorer.needsFloat
            ? (float.outputs(index) ?? (await this.#answer(against, index, options)))
            : null;
      const kept = await scorer.keep(outputs, sample, floats);
      own.set(index, kept, float === null && scorer.needsFloat ? outputs : null);
      reached = position + 1;
      this.#progress(target, "accuracy", done + reached, indexes.length);
      if (performance.now() - keptAt > keepEveryMs) await settle(reached);
    };
    try {
      await host.runSamples(model, samples, missing, keep, options);
    } finally {
      // Also where it is interrupted.
      await settle(reached);
    }
  }

  async #predictionsOf(
    artifact: Artifact,
    target: TargetName,
    split: SplitName,
    against: { readonly float: Artifact; readonly floatOn: TargetName } | null,
  ): Promise<Predictions> {
    const name = await this.#predictionsName(artifact, target, split, against);
    const key = JSON.stringify(name);
    const known = this.#predictions.get(key);
    if (known) return known;
    const made = earlier(this.#earlier, name).then((found) => new Predictions(this.#room, found));
    this.#predictions.set(key, made);
    return made;
  }

  async #predictionsName(
    artifact: Artifact,
    target: TargetName,
    split: SplitName,
    against: { readonly float: Artifact; readonly floatOn: TargetName } | null,
  ): Promise<ResultName & { readonly kind: "predictions" }> {
    const beside =
      against === null || this.#options.scorer?.needsFloat !== true
        ? null
        : { artifact: await this.#models.identity(against.float), target: against.floatOn };
    return {
      kind: "predictions",
      artifact: await this.#models.identity(artifact),
      target,
      split,
      against: beside,
    };
  }

  /** The float model asked again: its outputs were too large to be held. */
  async #answer(
    { float, floatOn }: { readonly float: Artifact; readonly floatOn: TargetName },
    index: number,
    options: CallOptions,
  ): Promise<Tensors> {
    const host = this.#host(floatOn);
    const { feeds } = await this.#options.samples.sample(index);
    return host.run(await this.#models.on(host, float, options), feeds, options);
  }

  async #reference(
    reference: ParityRequest["reference"],
    options: CallOptions,
  ): Promise<(feeds: Tensors) => Promise<Tensors>> {
    if ("evaluate" in reference) return reference.evaluate;
    const host = this.#host(reference.target);
    const model = await this.#models.on(host, reference.artifact, options);
    return (feeds) => host.run(model, feeds, options);
  }

  #sample(split: SplitName): Promise<StoredSample> {
    const { samples } = this.#options;
    if (samples.size === 0)
      throw new PareError("DATA_INVALID", "There are no samples to measure with.", {
        where: "samples",
        hint: "Give at least one.",
      });
    return samples.sample(this.#orders[split][0] ?? 0);
  }

  #host(target: TargetName): EngineHost {
    const host = this.#options.hosts.get(target);
    if (host) return host;
    throw new PareError("UNSUPPORTED_DEVICE", `There is no engine for ${target} here.`, {
      where: target,
      hint: "Run `pare doctor`: it says what is missing.",
    });
  }

  async #recycle(host: EngineHost): Promise<void> {
    if (host.target === "cpu") return;
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
