import {
  type Artifact,
  type Executor,
  onnxArtifact,
  PareError,
  type Session,
  type Tensors,
} from "@pare/runtime/format";
import { encodeModel } from "../onnx/index.js";
import { channelBlockFor } from "./channel-block.js";
import { combineShares, type ShareResult } from "./combine-shares.js";
import { lastToWrite } from "./execution-order.js";
import { type TrainingGraph, trainingGraph } from "./training-graph.js";
import type { TrainRequest } from "./train-request.js";
import type { TrainingState } from "./training-state.js";

/** A part of each batch, on an engine of its own. */
export class Share {
  readonly graph: TrainingGraph;
  readonly executor: Executor;
  /** Where its samples begin in the batch. */
  readonly from: number;
  /** How many samples it computes. */
  readonly count: number;
  readonly #session: Session;

  private constructor(
    graph: TrainingGraph,
    executor: Executor,
    { from, count }: Pick<Share, "from" | "count">,
    session: Session,
  ) {
    this.graph = graph;
    this.executor = executor;
    this.from = from;
    this.count = count;
    this.#session = session;
  }

  /** How often the model runs for them. */
  get runs(): number {
    return this.count / this.graph.batch;
  }

  /**
   * @param feedsOf of each run
   * @param gradients are written over, in the order of the graph's parameters
   * @param added the same, of runs that are added to them
   */
  async run(
    feedsOf: (run: number) => Tensors,
    gradients: readonly Float32Array[],
    { added, arrays }: { added: readonly Float32Array[]; arrays: TrainingState["arrays"] },
    signal: AbortSignal | undefined,
  ): Promise<ShareResult> {
    let sum = await this.#runOnce(feedsOf(0), gradients, signal);
    const scores = sum.scores === null ? null : [sum.scores];
    for (let run = 1; run < this.runs; run += 1) {
      const more = await this.#runOnce(feedsOf(run), added, signal);
      if (more.scores !== null) scores?.push(more.scores);
      sum = {
        ...combineShares([sum, more], [run, 1], this.graph.statistics, arrays),
        scores: null,
      };
    }
    return { ...sum, scores: scores && joined(scores) };
  }

  /** @param gradients are written over */
  async #runOnce(
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
      readonly count: number;
      readonly file: SharedFile;
    }[] = [];
    let from = 0;
    for (const [index, engine] of engines.entries()) {
      const count = Math.floor((batch + engines.length - 1 - index) / engines.length);
      planned.push({ engine, from, count, file: await fileOf(count) });
      from += count;
    }
    // Where several compute, each has a core of its own.
    const options = { signal, ...(planned.length > 1 && { threads: 1 }) };
    const loads = planned.map(async ({ engine, file: { graph, artifact }, ...part }) => {
      const session = await engine.load(artifact, options);
      return new Share(graph, engine, part, session);
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
  const graph = graphOf(request, count, await channelBlockFor(request));
  const { proto } = await encodeModel(graph.graph, { last: lastToWrite(graph.graph) });
  // What gains from another layout is written in it; the engine would take pools there and back at every step as well.
  const session = {
    graphOptimizationLevel: "extended",
    spinning: false,
    memoryPattern: false,
  } as const;
  return { graph, artifact: onnxArtifact(proto, session) };
}

/**
 * One step of a request's as a graph, of so many samples, or of as many as one run has.
 * @throws PareError as `trainingGraph`
 */
export function graphOf(
  request: TrainRequest,
  batch: number,
  channelBlock: number | null = null,
): TrainingGraph {
  const { model, samples, objectives, learned, trained, straightThrough, engine, options } =
    request;
  const { perRun = batch } = request;
  return trainingGraph(model, {
    samples: samples.dims,
    batch: Math.min(batch, perRun),
    objectives,
    learned,
    trained,
    straightThrough,
    norms: options.norms,
    dropout: options.dropout,
    recompute: options.recompute,
    engine,
    channelBlock,
  });
}

function joined([first = new Float32Array(), ...others]: readonly Float32Array[]): Float32Array {
  if (others.length === 0) return first;
  const all = new Float32Array(first.length * (1 + others.length));
  for (const [at, rows] of [first, ...others].entries()) all.set(rows, at * first.length);
  return all;
}

function floats(outputs: Tensors, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new PareError("INTERNAL", `The training step does not give "${name}".`);
}
