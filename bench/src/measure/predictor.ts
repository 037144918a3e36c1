import type {
  AccuracyRequest,
  Artifact,
  SampleInfo,
  SampleSet,
  SplitName,
  TargetName,
  Tensors,
} from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost } from "../engines/host.js";
import type { Scorer } from "../metrics/scorer.js";
import type { Scored } from "./accuracy.js";
import { earlier, type EarlierResults, type ResultName } from "./earlier-results.js";
import type { LoadedModels } from "./loaded-models.js";
import { Predictions, Room } from "./predictions.js";
import { runShared } from "./run-shared.js";

/** A model on an engine. */
export interface Predicting {
  readonly artifact: Artifact;
  readonly target: TargetName;
}

/** Whose predictions, on which samples; beside which float model where the scorer reads that one's outputs too. */
export interface PredictionsOf extends Predicting {
  readonly split: SplitName;
  /** Null for the float model itself. */
  readonly float: Predicting | null;
}

/** What a candidate says, and what the float model says that it is held against; null where that is it. */
export function predictionsOf({
  artifact,
  target,
  floatOn = target,
  float,
  split,
}: AccuracyRequest): {
  readonly own: PredictionsOf | null;
  readonly ofFloat: PredictionsOf;
} {
  const reference = { artifact: float ?? artifact, target: floatOn };
  return {
    own: float === undefined ? null : { artifact, target, split, float: reference },
    ofFloat: { ...reference, split, float: null },
  };
}

interface PredictorOptions {
  readonly samples: SampleSet;
  readonly models: LoadedModels;
  readonly earlier: EarlierResults;
  readonly host: (target: TargetName) => EngineHost;
  /** Those that share its samples, the host itself first. */
  readonly sharing: (
    host: EngineHost,
    artifact: Artifact,
  ) => readonly [EngineHost, ...EngineHost[]];
  /** A run, as far as it is known. */
  readonly runMs: (identity: string, target: TargetName) => number | undefined;
  /** Samples that are known, of those that were asked for. */
  readonly onProgress: (target: TargetName, done: number, total: number) => void;
}

/** Where samples take less than that, or than this many loads, one engine goes through all of them. */
const leastShared = { ms: 500, loads: 2 };
/** Predictions that take long are kept as they come: an interrupted run has lost no more. */
const keepEveryMs = 5000;
/** All of them are written each time: that takes no more than this share of the time. */
const keepShare = 0.05;

/** What models say to samples: each sample is run once. */
export class Predictor {
  readonly #options: PredictorOptions;
  readonly #predictions = new Map<string, Promise<Predictions>>();
  readonly #room = new Room();

  constructor(options: PredictorOptions) {
    this.#options = options;
  }

  /** What a sample took; null where none was run. */
  async sampleMs(scorer: Scorer | null, of: PredictionsOf): Promise<number | null> {
    return (await this.#known(scorer, of)).sampleMs;
  }

  /** Whether all of the samples were asked before. */
  async knows(scorer: Scorer, of: PredictionsOf, indexes: readonly number[]): Promise<boolean> {
    const known = await this.#known(scorer, of);
    return indexes.every((index) => known.has(index));
  }

  /** Only those samples are run that were not asked before. */
  async predict(
    scorer: Scorer,
    of: PredictionsOf,
    indexes: readonly number[],
    options: CallOptions,
  ): Promise<Scored> {
    const { samples } = this.#options;
    const known = await this.#known(scorer, of);
    await known.inTurn(() => this.#predictMissing(known, scorer, of, indexes, options));
    const ids: string[] = [];
    const groups: (string | null)[] = [];
    for (const index of indexes) {
      const { id, group } = await samples.info(index);
      ids.push(id);
      groups.push(group);
    }
    return { kept: indexes.map((index) => known.kept(index)), ids, groups, draws: known.draws };
  }

  async #predictMissing(
    known: Predictions,
    scorer: Scorer,
    of: PredictionsOf,
    indexes: readonly number[],
    options: CallOptions,
  ): Promise<void> {
    const missing = indexes.filter((index) => !known.has(index));
    if (missing.length === 0) return;
    const { samples, models, host: hostOf, earlier: kept, onProgress } = this.#options;
    const { artifact, target, split, float } = of;
    const host = hostOf(target);
    const loadMs = await models.using(host, artifact, options, async (model) => model.loadMs);
    const name = await this.#nameOf(scorer, of);
    const outputsOf = await this.#floatOutputs(scorer, float, split, options);
    const runMs = known.sampleMs ?? this.#options.runMs(name.artifact, target) ?? 0;
    const isLong = missing.length * runMs >= Math.max(leastShared.ms, leastShared.loads * loadMs);
    // Of a sequence each step waits for the one before it.
    const isShared = isLong && samples.sequences === undefined;
    const engines = isShared ? this.#options.sharing(host, artifact) : ([host] as const);
    let settledAt = performance.now();
    let settled = 0;
    let reached = 0;
    let everyMs = keepEveryMs;
    let settling = Promise.resolve();
    const settle = (): Promise<void> => (settling = settling.then(settleNow));
    const settleNow = async (): Promise<void> => {
      if (reached === settled) return;
      const now = performance.now();
      known.took(engines.length * (now - settledAt), reached - settled);
      [settledAt, settled] = [now, reached];
      const { result } = known;
      if (result !== undefined) await kept.put(name, result);
      everyMs = Math.max(keepEveryMs, (performance.now() - now) / keepShare);
    };
    const each = async (outputs: Tensors, sample: SampleInfo, index: number) => {
      const floats = float === null ? outputs : await outputsOf(index);
      known.set(
        index,
        await scorer.keep(outputs, sample, floats),
        float === null && scorer.needsFloat ? outputs : null,
      );
      reached++;
      onProgress(target, indexes.length - missing.length + reached, indexes.length);
      if (performance.now() - settledAt > everyMs) await settle();
    };
    try {
      await runShared(engines, { artifact, samples, models, each }, missing, options);
    } finally {
      // Also where it is interrupted.
      await settle();
    }
  }

  /** The float model's outputs by sample, where the scorer reads them: held, or asked again where they were too large. */
  async #floatOutputs(
    scorer: Scorer,
    float: Predicting | null,
    split: SplitName,
    options: CallOptions,
  ): Promise<(index: number) => Promise<Tensors | null>> {
    if (float === null || !scorer.needsFloat) return async () => null;
    const { samples, models, host: hostOf } = this.#options;
    const known = await this.#known(scorer, { ...float, split, float: null });
    return async (index) => {
      const held = known.outputs(index);
      if (held !== null) return held;
      const host = hostOf(float.target);
      return models.using(host, float.artifact, options, async (model) => {
        const made: Tensors[] = [];
        await host.runSamples(
          model,
          samples,
          [index],
          (outputs) => void made.push(outputs),
          options,
        );
        return made[0] ?? null;
      });
    };
  }

  async #known(scorer: Scorer | null, of: PredictionsOf): Promise<Predictions> {
    const name = await this.#nameOf(scorer, of);
    const key = JSON.stringify(name);
    const known = this.#predictions.get(key);
    if (known) return known;
    const made = earlier(this.#options.earlier, name).then(
      (found) => new Predictions(this.#room, found),
    );
    this.#predictions.set(key, made);
    return made;
  }

  async #nameOf(
    scorer: Scorer | null,
    { artifact, target, split, float }: PredictionsOf,
  ): Promise<ResultName & { readonly kind: "predictions" }> {
    const { models } = this.#options;
    const against =
      float === null || scorer?.needsFloat !== true
        ? null
        : { artifact: await models.identity(float.artifact), target: float.target };
    return {
      kind: "predictions",
      artifact: await models.identity(artifact),
      target,
      split,
      against,
    };
  }
}
