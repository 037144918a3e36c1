import {
  type Artifact,
  type Executor,
  onnxArtifact,
  PareError,
  type Session,
  type Tensors,
} from "@pare/runtime/format";
import { encodeModel } from "../onnx/index.js";
import { lastToWrite } from "./execution-order.js";
import { type TrainingGraph, trainingGraph } from "./training-graph.js";
import type { TrainRequest } from "./train-request.js";

/** What a share of a batch came to. */
export interface ShareResult {
  readonly loss: number;
  readonly terms: readonly number[];
  /** In the order of the graph's parameters, in the arrays that were given for them. */
  readonly gradients: readonly Float32Array[];
  /** Of batch norms, in the order of the graph's. */
  readonly statistics: readonly Float32Array[];
  /** A row for each sample; null without classes. */
  readonly scores: Float32Array | null;
}

/** A part of each batch, on an engine of its own. */
export class Share {
  readonly graph: TrainingGraph;
  readonly executor: Executor;
  /** Where its samples begin in the batch. */
  readonly from: number;
  readonly #session: Session;

  private constructor(graph: TrainingGraph, executor: Executor, from: number, session: Session) {
    this.graph = graph;
    this.executor = executor;
    this.from = from;
    this.#session = session;
  }

  /** How many samples it computes. */
  get count(): number {
    return this.graph.batch;
  }

  /** @param gradients are written over, in the order of the graph's parameters */
  async run(
    feeds: Tensors,
    gradients: readonly Float32Array[],
    signal: AbortSignal | undefined,
  ): Promise<ShareResult> {
    const { loss, terms, parameters, statistics, scores } = this.graph;
    const places = parameters.map(({ gradient, tensor: { dims } }, index) => {
      const data = gradients[index] ?? new Float32Array();
      return [gradient, { type: "float32" as const, dims, data }] as const;
    });
    const outputs = await this.#session.run(feeds, signal, Object.fromEntries(places));
    for (const [name, { data }] of places) {
      const given = floats(outputs, name);
      if (given !== data) data.set(given);
    }
    return {
      loss: floats(outputs, loss)[0] ?? Number.NaN,
      terms: terms.map((name) => floats(outputs, name)[0] ?? Number.NaN),
      gradients,
      statistics: statistics.map(({ output }) => floats(outputs, output)),
      scores: scores === null ? null : floats(outputs, scores),
    };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }

  /**
   * A batch in as many shares as there are engines, of equal size where that goes; the first ones have one sample more.
   * @throws PareError as `trainingGraph`, and what an engine says to it
   */
  static async openAll(request: TrainRequest, batch: number): Promise<readonly Share[]> {
    const { executor, beside = [], signal } = request;
    const engines = [executor, ...beside].slice(0, batch);
    const files = new Map<number, Promise<SharedFile>>();
    const fileOf = (count: number): Promise<SharedFile> => {
      const known = files.get(count) ?? fileFor(request, count);
      files.set(count, known);
      return known;
    };
    const planned: {
      readonly engine: Executor;
      readonly from: number;
      readonly file: SharedFile;
    }[] = [];
    let from = 0;
    for (const [index, engine] of engines.entries()) {
      const count = Math.floor((batch + engines.length - 1 - index) / engines.length);
      planned.push({ engine, from, file: await fileOf(count) });
      from += count;
    }
    // Where several compute, each has a core of its own.
    const options = { signal, ...(planned.length > 1 && { threads: 1 }) };
    const loads = planned.map(async ({ engine, from: first, file: { graph, artifact } }) => {
      const session = await engine.load(artifact, options);
      return new Share(graph, engine, first, session);
    });
    const opened = await Promise.allSettled(loads);
    const failed = opened.find((one) => one.status === "rejected");
    const shares = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (failed === undefined) return shares;
    await Promise.allSettled(shares.map((share) => share.dispose()));
    throw failed.reason;
  }
}

/** A training graph of so many samples, and as what engines load it: shares of one size have one. */
interface SharedFile {
  readonly graph: TrainingGraph;
  readonly artifact: Artifact;
}

async function fileFor(request: TrainRequest, count: number): Promise<SharedFile> {
  const graph = graphOf(request, count);
  const { proto } = await encodeModel(graph.graph, { last: lastToWrite(graph.graph) });
  // Weights that are inputs gain nothing from other layouts, and lose by going there and back at every step.
  const session = { graphOptimizationLevel: "extended", spinning: false } as const;
  return { graph, artifact: onnxArtifact(proto, session) };
}

/**
 * One step of a request's as a graph, of so many samples.
 * @throws PareError as `trainingGraph`
 */
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
    dropout: options.dropout,
    engine,
  });
}

function floats(outputs: Tensors, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new PareError("INTERNAL", `The training step does not give "${name}".`);
}
