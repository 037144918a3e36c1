import type {
  LatencyComparison,
  LatencyRequest,
  SampleSet,
  TargetName,
  Tensors,
} from "@pare/runtime/format";
import type { EngineHost } from "../engines/host.js";
import { begunTiming } from "./begun-timing.js";
import type { EarlierResults, ResultName } from "./earlier-results.js";
import { measureLatency } from "./latency.js";
import type { LoadedModels } from "./loaded-models.js";
import type { LookedAt } from "./looked-at.js";

interface TimingsOptions {
  readonly samples: SampleSet;
  readonly models: LoadedModels;
  readonly lookedAt: LookedAt;
  readonly earlier: EarlierResults;
  readonly host: (target: TargetName) => EngineHost;
  readonly seed: number;
  readonly onProgress: (target: TargetName, done: number) => void;
}

const timedSamples = 4;

/** Times files in turns, and goes on with timings that were interrupted. */
export class Timings {
  readonly #options: TimingsOptions;

  constructor(options: TimingsOptions) {
    this.#options = options;
  }

  async name({
    artifacts,
    target,
    limits,
    seed,
  }: LatencyRequest): Promise<ResultName & { readonly kind: "latency" }> {
    const identities = await Promise.all(
      artifacts.map((one) => this.#options.models.identity(one)),
    );
    return { kind: "latency", artifacts: identities, target, limits, seed };
  }

  /** @param timed what the whole timing is called */
  async time(
    request: LatencyRequest,
    timed: ResultName & { readonly kind: "latency" },
  ): Promise<LatencyComparison> {
    const { artifacts, target, limits, seed, signal, fresh = false, published = fresh } = request;
    const { models, earlier, onProgress } = this.#options;
    const name = { ...timed, kind: "blocks" } as const;
    const begun = published ? undefined : await begunTiming(earlier, name, artifacts.length);
    const host = this.#options.host(target);
    const feeds = await this.#feeds();
    onProgress(target, 0);
    if (fresh) await models.unload(host);
    const compared = await models.usingAll(host, artifacts, request, (loaded) =>
      measureLatency(host, loaded, feeds, {
        limits,
        seed: this.#options.seed + seed,
        signal,
        limitMs: request.limitMs,
        begun,
        onInterrupted: published ? undefined : (left) => earlier.put(name, left),
      }),
    );
    if (begun !== undefined) await earlier.put(name, { ...begun, blocks: [] });
    onProgress(target, 1);
    return compared;
  }

  async #feeds(): Promise<readonly Tensors[]> {
    const { samples, lookedAt } = this.#options;
    const order = lookedAt.all("validation");
    const feeds: Tensors[] = [];
    for (const index of (order.length > 0 ? order : [0]).slice(0, timedSamples))
      feeds.push((await samples.sample(index)).feeds);
    return feeds;
  }
}
