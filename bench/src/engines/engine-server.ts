import {
  type Artifact,
  type LoadOptions,
  messageOf,
  PareError,
  Reducer,
  type Session,
  type Tensors,
  isPareError,
} from "@pare/runtime/format";
import { letGo } from "./let-go.js";
import { clockTick, planFor, type Runner, timeBlocks, warmUp } from "../timing/blocks.js";
import type {
  EngineReplies,
  EngineRequest,
  WireReply,
  WireSample,
  WireSequences,
} from "./protocol.js";

/** What an engine server needs of the place it is in. */
export interface Engine {
  probe(): Promise<EngineReplies["probe"]>;
  start(): Promise<void>;
  load(artifact: Artifact, options: LoadOptions): Promise<Session>;
  peakBytes(): number | null;
}

/** Series of runs through sequences that go on at once, at most: of others the state is let go. */
const mostSeries = 8;

/** A reduction, and the samples that it was sent and that were not run yet. */
interface Reducing {
  /** Of the model. */
  readonly id: number;
  readonly reducer: Reducer;
  readonly waiting: Tensors[];
}

/**
 * The far side of a channel: holds sessions and samples, runs and times them. The same code in Node's child process
 * and in a browser's worker, so that both are measured alike.
 */
export class EngineServer {
  readonly #engine: Engine;
  readonly #sessions = new Map<number, Session>();
  readonly #samples = new Map<number, Tensors>();
  readonly #underWay = new Map<number, Reducing>();
  /** By series, of which model, and what its last run left. */
  readonly #states = new Map<number, { readonly id: number; readonly state: Tensors }>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async answer(request: EngineRequest): Promise<WireReply> {
    try {
      return { ok: true, value: await this.#do(request) };
    } catch (error) {
      if (isPareError(error))
        return { ok: false, code: error.code, message: error.message, hint: error.hint ?? null };
      return { ok: false, code: "ENGINE", message: messageOf(error), hint: null };
    }
  }

  async #do(request: EngineRequest): Promise<EngineReplies[EngineRequest["kind"]]> {
    switch (request.kind) {
      case "probe":
        return this.#engine.probe();
      case "start":
        await this.#engine.start();
        return null;
      case "load": {
        const started = performance.now();
        const { artifact, threads } = request;
        const session = await this.#engine.load(artifact, { threads });
        this.#sessions.set(request.id, session);
        return {
          inputs: session.inputs,
          outputs: session.outputs,
          loadMs: performance.now() - started,
        };
      }
      case "run": {
        // Samples before the session: the host counts on what it sent being held, also where the model is gone.
        const feeds = this.#feeds(request.samples);
        const session = this.#session(request.id);
        const started = performance.now();
        const outputs: Tensors[] = [];
        for (const [at, feed] of feeds.entries()) {
          const follows = request.samples[at]?.follows === true;
          const made = await session.run(
            follows ? { ...feed, ...this.#carried(request.sequences) } : feed,
          );
          this.#carry(request, made);
          outputs.push(made);
          if (performance.now() - started >= (request.maxMs ?? Infinity)) break;
        }
        return { outputs, ms: performance.now() - started };
      }
      case "reduce":
        return this.#reduce(request);
      case "warm-up": {
        const runners = this.#runners(request.ids, request.samples);
        const tickMs = clockTick(performance);
        const runMs: number[] = [];
        for (const run of runners)
          runMs.push(await warmUp(run, performance, request.maxMs, tickMs));
        return { plan: planFor(runMs, tickMs, 1) };
      }
      case "time":
        return {
          blocks: await timeBlocks(
            this.#runners(request.ids, request.samples),
            request.plan,
            request.blocks,
            performance,
          ),
        };
      case "unload":
        await this.#sessions.get(request.id)?.dispose();
        this.#sessions.delete(request.id);
        // Of one whose samples failed nobody asks any more.
        for (const [reduction, { id }] of this.#underWay)
          if (id === request.id) this.#underWay.delete(reduction);
        for (const [series, { id }] of this.#states)
          if (id === request.id) this.#states.delete(series);
        return null;
      case "forget":
        this.#samples.clear();
        return null;
      case "memory":
        return { peakBytes: this.#engine.peakBytes() };
      default:
        return request satisfies never;
    }
  }

  /** Runs samples for a while: whoever waits for an answer learns how far it is, however slow they are. */
  async #reduce({
    id,
    reduction,
    samples,
    reductions,
    last,
    maxMs,
  }: Extract<EngineRequest, { kind: "reduce" }>): Promise<EngineReplies["reduce"]> {
    const known = this.#underWay.get(reduction);
    this.#underWay.delete(reduction);
    const { reducer, waiting }: Omit<Reducing, "id"> = known ?? {
      reducer: new Reducer(reductions),
      waiting: [],
    };
    waiting.push(...this.#feeds(samples));
    const session = this.#session(id);
    const started = performance.now();
    let done = 0;
    for (const feeds of waiting) {
      const outputs = await session.run(feeds);
      reducer.add(outputs);
      letGo(Object.values(outputs).map(({ data }) => data));
      done += 1;
      if (performance.now() - started >= maxMs) break;
    }
    waiting.splice(0, done);
    const isOver = last && waiting.length === 0;
    if (!isOver) this.#underWay.set(reduction, { id, reducer, waiting });
    return { done, waiting: waiting.length, reduced: isOver ? reducer.reduced : null };
  }

  #carried(sequences: WireSequences | undefined): Tensors {
    const known = sequences && this.#states.get(sequences.series);
    if (!known) throw new PareError("INTERNAL", "A step follows on one that was not run.");
    return known.state;
  }

  /** Holds what the next step of a sequence is fed with. */
  #carry({ id, sequences }: Extract<EngineRequest, { kind: "run" }>, outputs: Tensors): void {
    if (sequences === undefined) return;
    const state = Object.entries(sequences.state).map(([output, input]) => {
      const made = outputs[output];
      if (made === undefined)
        throw new PareError("DATA_MODULE", `The model has no output "${output}" to be its state.`, {
          where: "state",
          hint: "Export `state` as { output: input }, by the model's own names: pare inspect lists them.",
        });
      // What is answered may be moved to who asked.
      return [input, { ...made, data: made.data.slice() }] as const;
    });
    this.#states.delete(sequences.series);
    this.#states.set(sequences.series, { id, state: Object.fromEntries(state) });
    // Which was the last of a series nobody says.
    const [oldest] = this.#states.keys();
    if (this.#states.size > mostSeries && oldest !== undefined) this.#states.delete(oldest);
  }

  #session(id: number): Session {
    const session = this.#sessions.get(id);
    if (!session) {
      throw new PareError(
        "ENGINE_CRASHED",
        "The engine ended, and what was loaded in it is gone.",
        {
          where: `model ${id}`,
          hint: "It may have been out of memory: close other programs.",
        },
      );
    }
    return session;
  }

  #feeds(samples: readonly WireSample[]): Tensors[] {
    for (const { ref, feeds, keep } of samples) if (feeds && keep) this.#samples.set(ref, feeds);
    return samples.map(({ ref, feeds = this.#samples.get(ref) }) => {
      if (!feeds) throw new PareError("INTERNAL", `Sample ${ref} is not held by this engine.`);
      return feeds;
    });
  }

  #runners(ids: readonly number[], samples: readonly WireSample[]): Runner[] {
    const feeds = this.#feeds(samples);
    return ids.map((id) => {
      const session = this.#session(id);
      return (turn) => session.run(feeds[turn % feeds.length] as Tensors);
    });
  }
}
