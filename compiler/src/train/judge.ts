import { onnxArtifact, type Session, type Tensors } from "@pare/runtime/format";
import type { ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { blockConvolutions } from "./blocked-convolutions.js";
import { channelBlockFor } from "./channel-block.js";
import { forwardGraph, liftedName } from "./forward-graph.js";
import { batchFeeds, type Samples } from "./samples.js";
import { countRight } from "./targets.js";
import type { TrainRequest } from "./train-request.js";
import type { LearnedArray } from "./training-state.js";

/** Tells how right a model is on samples that it does not learn from, as it is in inference. */
export class Judge {
  readonly #request: TrainRequest;
  readonly #samples: Samples;
  readonly #classes: Int32Array;
  readonly #scores: ValueId;
  #opened: Promise<Session> | null = null;

  private constructor(
    request: TrainRequest,
    samples: Samples,
    classes: Int32Array,
    scores: ValueId,
  ) {
    this.#request = request;
    this.#samples = samples;
    this.#classes = classes;
    this.#scores = scores;
  }

  /** Null where there are no samples for it, or no classes. */
  static of(request: TrainRequest): Judge | null {
    const { validation, objectives } = request;
    const judged = objectives.find(
      ({ loss, dims }) =>
        loss.kind === "cross-entropy" && loss.targets === "classes" && dims.length === 1,
    );
    if (validation?.labels?.kind !== "classes" || judged === undefined) return null;
    return new Judge(request, validation, validation.labels.values, judged.value);
  }

  /** The share of samples whose class has the highest score. @param learned the same constants at every call */
  async accuracy(learned: readonly LearnedArray[]): Promise<number> {
    const { signal } = this.#request;
    const session = await (this.#opened ??= this.#open(learned));
    const numbers: Tensors = Object.fromEntries(
      learned.map(({ constant, values }, index) => [
        liftedName(index),
        { type: "float32" as const, dims: constant.tensor.dims, data: values },
      ]),
    );
    const batch = this.#batch;
    const { count } = this.#samples;
    const order = Int32Array.from({ length: count }, (_, index) => index);
    let right = 0;
    for (let start = 0; start < count; start += batch) {
      const feeds = { ...batchFeeds(this.#samples, order, start, batch), ...numbers };
      const scores = (await session.run(feeds, signal))["output_0"]?.data;
      if (!(scores instanceof Float32Array)) continue;
      // The last batch is filled up with the first samples, which count once.
      const own = Array.from(this.#classes.subarray(start, Math.min(count, start + batch)));
      right += countRight(scores.subarray(0, (scores.length / batch) * own.length), own);
    }
    return right / count;
  }

  get #batch(): number {
    const { options, perRun = options.batch } = this.#request;
    return Math.min(options.batch, perRun, this.#samples.count);
  }

  async #open(learned: readonly LearnedArray[]): Promise<Session> {
    const { model, executor, signal } = this.#request;
    const lifted = learned.map(({ constant }) => constant);
    const dims = this.#samples.dims;
    const graph = forwardGraph(model, dims, this.#batch, [this.#scores], lifted);
    const block = await channelBlockFor(this.#request);
    if (block !== null) blockConvolutions(graph, block);
    const { proto } = await encodeModel(graph);
    return executor.load(onnxArtifact(proto, { spinning: false }), { signal });
  }

  async dispose(): Promise<void> {
    await (await this.#opened)?.dispose();
  }
}
