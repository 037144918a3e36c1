import { onnxArtifact, PareError, type Session, type Tensors } from "@pare/runtime/format";
import { encodeModel } from "../onnx/index.js";
import { diverged } from "./diverged.js";
import { globalNorm } from "./optimizer/clip.js";
import { batchFeeds } from "./samples.js";
import { Targets } from "./targets.js";
import type { TrainRequest } from "./train-request.js";
import { type TrainingGraph, trainingGraph } from "./training-graph.js";
import type { LearnedArray } from "./training-state.js";

/** What one step says, before anything is changed by it. */
export interface StepResult {
  readonly loss: number;
  readonly terms: readonly number[];
  /** In the order of the graph's parameters. */
  readonly gradients: readonly Float32Array[];
  /** √(Σ g²) over all of them. */
  readonly norm: number;
  /** What the batch's statistics were, in the order of the graph's. */
  readonly statistics: readonly Float32Array[];
  /** How many samples have their class's score as the highest; null without classes. */
  readonly right: number | null;
}

/** Steps of one batch size on an engine. */
export class TrainingStep {
  readonly graph: TrainingGraph;
  readonly #request: TrainRequest;
  readonly #session: Session;
  readonly #targets: Targets;

  private constructor(
    request: TrainRequest,
    graph: TrainingGraph,
    session: Session,
    targets: Targets,
  ) {
    this.#request = request;
    this.graph = graph;
    this.#session = session;
    this.#targets = targets;
  }

  static async open(request: TrainRequest, batch: number): Promise<TrainingStep> {
    const { executor, signal } = request;
    const graph = graphOf(request, batch);
    const { proto } = await encodeModel(graph.graph);
    // Weights that are inputs gain nothing from other layouts, and lose by going there and back at every step.
    const artifact = onnxArtifact(proto, { graphOptimizationLevel: "extended", spinning: false });
    const session = await executor.load(artifact, { signal });
    try {
      return new TrainingStep(request, graph, session, await Targets.open(request, batch));
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  /**
   * @param parameters in the order of the graph's; they are read, and not changed
   * @param order of the samples
   * @param start of the batch in it
   * @param steps that were done, for the message
   * @throws PareError DIVERGED where the loss or a gradient is not finite, naming the first tensor that is not
   */
  async run(
    parameters: readonly LearnedArray[],
    order: Int32Array,
    start: number,
    steps: number,
  ): Promise<StepResult> {
    const { samples, signal, executor, where } = this.#request;
    const { graph } = this;
    const feeds: Tensors = {
      ...batchFeeds(samples, order, start, graph.batch),
      ...(await this.#targets.feeds(order, start)),
      ...Object.fromEntries(
        graph.parameters.map(({ input, tensor: { dims } }, index) => {
          const { values: data = new Float32Array() } = parameters[index] ?? {};
          return [input, { type: "float32" as const, dims, data }];
        }),
      ),
    };
    const outputs = await this.#session.run(feeds, signal);
    const [loss = Number.NaN] = floats(outputs, graph.loss);
    const gradients = graph.parameters.map(({ gradient }) => floats(outputs, gradient));
    const norm = globalNorm(gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(norm))
      throw await diverged({ graph, feeds, loss, executor, where, steps });
    return {
      loss,
      terms: graph.terms.map((name) => floats(outputs, name)[0] ?? Number.NaN),
      gradients,
      norm,
      statistics: graph.statistics.map(({ output }) => floats(outputs, output)),
      right:
        graph.scores === null
          ? null
          : this.#targets.countRight(floats(outputs, graph.scores), order, start),
    };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
    await this.#targets.dispose();
  }
}

/** @throws PareError as `trainingGraph` */
export function graphOf(request: TrainRequest, batch: number): TrainingGraph {
  const { model, samples, objectives, learned, trained, straightThrough, engine, options } =
    request;
  return trainingGraph(model, {
    samples: samples.dims,
    batch,
    objectives,
    learned,
    trained,
    straightThrough,
    norms: options.norms,
    engine,
  });
}

function floats(outputs: Tensors, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new PareError("INTERNAL", `The training step does not give "${name}".`);
}
