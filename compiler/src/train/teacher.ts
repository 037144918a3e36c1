import {
  elementCount,
  type Executor,
  onnxArtifact,
  PareError,
  type Session,
  throwIfAborted,
  type TypedArray,
} from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { SampleDims } from "./bind-batch.js";
import { forwardGraph } from "./forward-graph.js";
import { batchFeeds, gathered, namedFeeds, type Samples } from "./samples.js";

/** Where the caller does not say. */
const defaultKeptBytes = 2 ** 29;

/** A value of the teacher, and the dims of one sample of it. */
export interface Taught {
  readonly value: ValueId;
  readonly dims: readonly number[];
}

/** A model that teaches, in normal form. */
export interface TeacherSource {
  readonly graph: Graph;
  /** Its inputs, by the names of the samples' columns. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Its answers to all samples are kept up to so many; beyond, it is asked again for each batch. 512 MB where not given. */
  readonly keptBytes?: number | undefined;
  /** Samples of one run, where it does not take as many as there are. */
  readonly perRun?: number | undefined;
}

interface TeacherRequest extends TeacherSource {
  readonly taught: readonly Taught[];
  readonly samples: Samples;
  readonly batch: number;
  readonly executor: Executor;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * What a teacher says to samples. It is a session of its own, with all of the engine's optimizations, and sees each
 * sample once where its answers fit into memory: in the samples' own order, so that they are the same bits in a training
 * that was interrupted.
 */
export class TeacherAnswers {
  readonly #request: TeacherRequest;
  readonly #session: Session;
  readonly #kept: readonly Float32Array[] | null;

  private constructor(
    request: TeacherRequest,
    session: Session,
    kept: readonly Float32Array[] | null,
  ) {
    this.#request = request;
    this.#session = session;
    this.#kept = kept;
  }

  static async open(request: TeacherRequest): Promise<TeacherAnswers> {
    const { graph, inputs, taught, samples, batch, executor, signal } = request;
    const { keptBytes = defaultKeptBytes, perRun = batch } = request;
    const dims: SampleDims = Object.fromEntries(
      [...inputs].map(([column, input]) => [input, samples.dims[column] ?? []]),
    );
    const values = taught.map(({ value }) => value);
    const { proto } = await encodeModel(forwardGraph(graph, dims, Math.min(batch, perRun), values));
    const session = await executor.load(onnxArtifact(proto, { spinning: false }), { signal });
    try {
      const rows = taught.map(({ dims: one }) => elementCount(one));
      const bytes = 4 * samples.count * rows.reduce((sum, row) => sum + row, 0);
      if (bytes > keptBytes) return new TeacherAnswers(request, session, null);
      const kept = rows.map((row) => new Float32Array(row * samples.count));
      await new TeacherAnswers(request, session, null).#answerAll(kept, rows);
      return new TeacherAnswers(request, session, kept);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  /** A batch of each taught value, one after the other. */
  async batchOf(order: ArrayLike<number>, start: number): Promise<readonly TypedArray[]> {
    const { taught, batch } = this.#request;
    const kept = this.#kept;
    if (kept === null) return this.#ask(order, start);
    return taught.map(({ dims }, index) =>
      gathered(
        "float32",
        kept[index] ?? new Float32Array(),
        elementCount(dims),
        order,
        start,
        batch,
      ),
    );
  }

  async #answerAll(kept: readonly Float32Array[], rows: readonly number[]): Promise<void> {
    const { samples, batch, signal, onProgress } = this.#request;
    const order = Int32Array.from({ length: samples.count }, (_, index) => index);
    for (let start = 0; start < samples.count; start += batch) {
      throwIfAborted(signal);
      // The last batch goes on with the first samples, whose answers are there already.
      const count = Math.min(batch, samples.count - start);
      for (const [index, answer] of (await this.#ask(order, start)).entries()) {
        const row = rows[index] ?? 0;
        kept[index]?.set(answer.subarray(0, count * row), start * row);
      }
      onProgress?.((start + count) / samples.count);
    }
  }

  async #ask(order: ArrayLike<number>, start: number): Promise<readonly Float32Array[]> {
    const { taught, batch, perRun = batch } = this.#request;
    if (perRun >= batch) return this.#askOnce(order, start, batch);
    const answers = taught.map(({ dims }) => new Float32Array(elementCount(dims) * batch));
    for (let run = 0; run * perRun < batch; run += 1)
      for (const [index, answer] of (
        await this.#askOnce(order, start + run * perRun, perRun)
      ).entries())
        answers[index]?.set(answer, run * answer.length);
    return answers;
  }

  async #askOnce(
    order: ArrayLike<number>,
    start: number,
    count: number,
  ): Promise<readonly Float32Array[]> {
    const { inputs, taught, samples, signal } = this.#request;
    const feeds = namedFeeds(batchFeeds(samples, order, start, count), inputs);
    const outputs = await this.#session.run(feeds, signal);
    return taught.map((_, index) => {
      const data = outputs[`output_${index}`]?.data;
      if (data instanceof Float32Array) return data;
      throw new PareError("UNSUPPORTED_OP", "What the teacher says is not float32.", {
        where: "teacher",
        hint: "Take a teacher whose outputs are float32.",
      });
    });
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
