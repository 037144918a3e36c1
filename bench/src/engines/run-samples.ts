import {
  type SampleInfo,
  type SampleSet,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { answerMs, AnswersSoFar, type FeedSizes } from "./answer-limits.js";
import type { CallOptions } from "./call-within.js";
import { inSequence } from "./in-sequence.js";
import type { LiveEngine } from "./live-engine.js";
import type { WireSample } from "./protocol.js";
import { bytesOfAll, feedSizes, type ResidentSamples } from "./resident-samples.js";

export interface RunSamplesOptions extends CallOptions {
  /** Stops early when it says so; asked between batches, and the engine waits for its answer. */
  readonly until?: (done: number) => boolean;
}

/** Samples that were run together. */
interface Batch {
  readonly infos: readonly SampleInfo[];
  readonly outputs: readonly Tensors[];
  readonly ms: number;
}

const mostSamples = 64;
const mostBytes = 32 * 2 ** 20;
/** Samples may be of other sizes than those before them, which told how many are run at once. */
const mostMs = 2 * answerMs;

/** Runs a model on samples of a set, those that the engine holds by number. */
export class SampleRuns {
  readonly #engine: LiveEngine;
  readonly #resident: ResidentSamples;
  readonly #id: number;
  readonly #samples: SampleSet;
  readonly #series: number;

  /**
   * @param id of the model
   * @param series that only these runs have
   */
  constructor(
    engine: LiveEngine,
    resident: ResidentSamples,
    id: number,
    samples: SampleSet,
    series: number,
  ) {
    this.#engine = engine;
    this.#resident = resident;
    this.#id = id;
    this.#samples = samples;
    this.#series = series;
  }

  /**
   * In order, steps of sequences in theirs; each one's outputs are handed over, and none are held.
   * @param each may be slow: the engine goes on with the next few samples meanwhile
   * @returns how many ran
   */
  async run(
    asked: readonly number[],
    each: (outputs: Tensors, sample: SampleInfo, position: number) => Promise<void> | void,
    { until, ...options }: RunSamplesOptions,
  ): Promise<number> {
    const { indexes, positions } = inSequence(asked, this.#samples);
    let done = 0;
    await this.#run(
      indexes,
      async (outputs, sample, at) => {
        const position = positions[at] ?? null;
        if (position === null) return;
        await each(outputs, sample, position);
        done += 1;
      },
      { ...options, ...(until && { until: () => until(done) }) },
    );
    return done;
  }

  async #run(
    indexes: readonly number[],
    each: (outputs: Tensors, sample: SampleInfo, position: number) => Promise<void> | void,
    options: RunSamplesOptions,
  ): Promise<void> {
    let done = 0;
    let msPerSample = answerMs;
    const soFar = new AnswersSoFar();
    let ahead: Promise<Batch> | null = null;
    while (done < indexes.length && !options.until?.(done)) {
      const run: Promise<Batch> =
        ahead ?? this.#batch(indexes.slice(done), msPerSample, soFar, options);
      const { infos, outputs, ms } = await run;
      const after = done + infos.length;
      msPerSample = ms / infos.length;
      ahead = null;
      if (options.until === undefined && after < indexes.length) {
        ahead = this.#batch(indexes.slice(after), msPerSample, soFar, options);
        // Whoever waits for it hears of its failure.
        ahead.catch(() => {});
      }
      for (const [offset, sample] of infos.entries())
        await each(outputs[offset] ?? {}, sample, done + offset);
      done = after;
    }
  }

  /** The first few samples, as many as take a little while. */
  async #batch(
    indexes: readonly number[],
    msPerSample: number,
    soFar: AnswersSoFar,
    options: CallOptions,
  ): Promise<Batch> {
    throwIfAborted(options.signal);
    const samples = this.#samples;
    const size = Math.min(mostSamples, Math.max(1, Math.round(answerMs / msPerSample)));
    const infos: SampleInfo[] = [];
    // Read while the engine may still be busy; what it has already need not be read.
    const read = new Map<number, Tensors>();
    const sizes: FeedSizes[] = [];
    let bytes = 0;
    for (const index of indexes.slice(0, size)) {
      const held = this.#resident.held(samples, index);
      const feeds = held === undefined ? (await samples.sample(index)).feeds : null;
      const own = held?.sizes ?? feedSizes(feeds ?? {});
      bytes += bytesOfAll(own);
      if (infos.length > 0 && bytes > mostBytes) break;
      if (feeds !== null) read.set(index, feeds);
      sizes.push(own);
      infos.push(await samples.info(index));
    }
    return this.#engine.inTurn(async (ask) => {
      const request: WireSample[] = [];
      const { sequences } = samples;
      for (const index of indexes.slice(0, infos.length)) {
        const ticket = await this.#resident.ticket(samples, index, read.get(index));
        const follows = sequences !== undefined && sequences.startOf(index) < index;
        request.push(follows ? { ...ticket, follows } : ticket);
      }
      const run = {
        kind: "run",
        id: this.#id,
        samples: request,
        ...(sequences && { sequences: { series: this.#series, state: sequences.state } }),
        maxMs: mostMs,
      } as const;
      const { outputs, ms } = await ask<"run">(run, soFar.limit(options, sizes));
      soFar.took(ms, sizes.slice(0, outputs.length));
      return { infos: infos.slice(0, outputs.length), outputs, ms };
    }, options.signal);
  }
}
