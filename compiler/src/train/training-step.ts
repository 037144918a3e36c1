import type { Tensors } from "@pare/runtime/format";
import { combineShares, type Combined } from "./combine-shares.js";
import { diverged } from "./diverged.js";
import { dropoutFeeds } from "./dropouts.js";
import { batchFeeds, rowsOf } from "./samples.js";
import { Share } from "./share.js";
import { Targets } from "./targets.js";
import type { TrainRequest } from "./train-request.js";
import type { TrainingGraph } from "./training-graph.js";
import type { LearnedArray, TrainingState } from "./training-state.js";

/** What one step says, before anything is changed by it. */
export interface StepResult extends Combined {
  /** √(Σ g²) over all gradients. */
  readonly norm: number;
  /** How many samples have their class's score as the highest; null without classes. */
  readonly right: number | null;
}

/** Which step of a training. */
export interface StepPlace {
  /** Of the samples. */
  readonly order: Int32Array;
  /** Of the batch in it. */
  readonly start: number;
  /** That were done. */
  readonly steps: number;
}

type StepArrays = Pick<TrainingState, "parameters" | "gradients" | "added" | "arrays">;

/** Steps of one batch size: on one engine, or in shares on several at the same time. */
export class TrainingStep {
  /** Of the first share: all have the same parameters and statistics. */
  readonly graph: TrainingGraph;
  readonly #request: TrainRequest;
  readonly #batch: number;
  readonly #shares: readonly Share[];
  readonly #targets: Targets;

  private constructor(
    request: TrainRequest,
    batch: number,
    graph: TrainingGraph,
    shares: readonly Share[],
    targets: Targets,
  ) {
    this.#request = request;
    this.#batch = batch;
    this.graph = graph;
    this.#shares = shares;
    this.#targets = targets;
  }

  static async open(request: TrainRequest, batch: number): Promise<TrainingStep> {
    const shares = await Share.openAll(request, batch);
    try {
      const [first] = shares;
      if (first === undefined) throw new RangeError("A batch has no sample.");
      const targets = await Targets.open(request, batch);
      return new TrainingStep(request, batch, first.graph, shares, targets);
    } catch (error) {
      await Promise.allSettled(shares.map((share) => share.dispose()));
      throw error;
    }
  }

  /**
   * @param state its parameters are read; its gradients are written over, the first share's by those of the batch
   * @throws PareError DIVERGED where the loss or a gradient is not finite, naming the first tensor that is not
   */
  async run(
    { parameters, gradients, added, arrays }: StepArrays,
    place: StepPlace,
  ): Promise<StepResult> {
    const { signal } = this.#request;
    const { order, start } = place;
    const targets = await this.#targets.feeds(order, start);
    const feeds = this.#shares.map((share) => {
      const weights = weightFeeds(share.graph, parameters);
      return (run: number) => ({ ...this.#feedsOf(share, run, targets, place), ...weights });
    });
    // The first is this thread's own: what it copies for its engine is nothing that the others are to wait for.
    const started = [...this.#shares.entries()]
      .reverse()
      .map(([index, share]) =>
        share.run(
          feeds[index] ?? (() => ({})),
          gradients[index] ?? [],
          { added: added[index] ?? [], arrays },
          signal,
        ),
      );
    // All are waited for, also where one fails: none runs on in the dark.
    const runs = await Promise.allSettled(started.reverse());
    const results = runs.map((run) => {
      if (run.status === "rejected") throw run.reason;
      return run.value;
    });
    const counts = this.#shares.map(({ count }) => count);
    const combined = combineShares(results, counts, this.graph.statistics, arrays);
    const norm = arrays.norm(combined.gradients);
    if (!Number.isFinite(combined.loss) || !Number.isFinite(norm)) {
      const isFinite = results.map((one, index) =>
        [one.loss, index > 0 ? arrays.norm(one.gradients) : 0].every(Number.isFinite),
      );
      const at = Math.max(0, isFinite.indexOf(false));
      throw await this.#diverged(combined.loss, at, feeds[at] ?? (() => ({})), place);
    }
    const rights = results.map(({ scores }, index) => {
      const { from = 0, count = 0 } = this.#shares[index] ?? {};
      return scores && this.#targets.countRight(scores, order, start + from, count);
    });
    const right = rights.reduce((sum, one) => (sum === null || one === null ? null : sum + one), 0);
    return { ...combined, norm, right };
  }

  /** All but the weights. */
  #feedsOf(
    share: Share,
    run: number,
    targets: Tensors,
    { order, start, steps }: StepPlace,
  ): Tensors {
    const { samples, random } = this.#request;
    const { dropouts, batch: count } = share.graph;
    const from = share.from + run * count;
    return {
      ...batchFeeds(samples, order, start + from, count),
      ...rowsOf(targets, from, count, this.#batch),
      ...dropoutFeeds(dropouts, random, steps, from / count),
    };
  }

  /** @param at the first share that has a number that is not finite */
  async #diverged(
    loss: number,
    at: number,
    feedsOf: (run: number) => Tensors,
    { steps }: StepPlace,
  ): Promise<Error> {
    const { executor, where } = this.#request;
    const { graph, runs } = this.#shares[at] ?? { graph: this.graph, runs: 1 };
    return diverged({ graph, feedsOf, runs, loss, executor, where, steps });
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#shares.map((share) => share.dispose()), this.#targets.dispose()]);
  }
}

function weightFeeds(graph: TrainingGraph, parameters: readonly LearnedArray[]): Tensors {
  return Object.fromEntries(
    graph.parameters.map(({ input, tensor: { dims } }, index) => {
      const { values: data = new Float32Array() } = parameters[index] ?? {};
      return [input, { type: "float32" as const, dims, data }];
    }),
  );
}
