import type {
  Parity,
  ParityRequest,
  SampleInfo,
  SampleSet,
  TargetName,
  Tensors,
} from "@pare/runtime/format";
import { singly } from "../engines/in-sequence.js";
import type { EngineHost } from "../engines/host.js";
import type { LoadedModels } from "./loaded-models.js";
import type { LookedAt } from "./looked-at.js";
import { ParityMeter } from "./parity.js";

interface ParityRunsOptions {
  readonly samples: SampleSet;
  readonly models: LoadedModels;
  readonly lookedAt: LookedAt;
  readonly host: (target: TargetName) => EngineHost;
  /** Samples that were compared, of all that are. */
  readonly onProgress: (target: TargetName, done: number, total: number) => void;
}

/** Runs samples through a file on its engine and through what that is held to: another engine, or an evaluation. */
export class ParityRuns {
  readonly #options: ParityRunsOptions;

  constructor(options: ParityRunsOptions) {
    this.#options = options;
  }

  async compare(request: ParityRequest): Promise<Parity | null> {
    const { reference } = request;
    if ("evaluate" in reference) return this.#compareWith(reference.evaluate, request);
    const { host: hostOf, models } = this.#options;
    const host = hostOf(reference.target);
    return models.using(host, reference.artifact, request, (model) =>
      this.#compareWith((feeds) => host.run(model, feeds, request), request),
    );
  }

  async #compareWith(
    ask: (feeds: Tensors) => Promise<Tensors>,
    request: ParityRequest,
  ): Promise<Parity | null> {
    const { artifact, target, count, maxMs, atLeast = 1 } = request;
    const { samples, models, onProgress } = this.#options;
    const host = this.#options.host(target);
    const indexes = this.#indexes(request).slice(0, Math.max(1, count));
    const meter = new ParityMeter();
    const compare = async (outputs: Tensors, _: SampleInfo, position: number) => {
      const { feeds } = await samples.sample(indexes[position] ?? 0);
      meter.add(outputs, await ask(feeds));
      onProgress(target, position + 1, indexes.length);
    };
    await models.using(host, artifact, request, (model) => {
      const started = performance.now();
      const until = (done: number) => done >= atLeast && performance.now() - started > (maxMs ?? 0);
      const options = maxMs === undefined ? request : { ...request, until };
      return host.runSamples(model, singly(samples), indexes, compare, options);
    });
    return meter.result();
  }

  /** Where a split has too few, the others help out: whether two engines agree is no matter of what was seen. */
  #indexes({ split }: ParityRequest): readonly number[] {
    const { lookedAt } = this.#options;
    const splits = [split, "test", "validation"] as const;
    const all = new Set(splits.flatMap((one) => lookedAt.all(one)));
    return all.size > 0 ? [...all] : [0];
  }
}
